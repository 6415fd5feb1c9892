package llmgateway.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * BudgetService manages budget policies, counts what is spent, and tells what may still be spent.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class BudgetServiceGrpc {

  private BudgetServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "llm_gateway.v1.BudgetService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.CreateGatewayBudgetPolicyRequest,
      llmgateway.v1.CreateGatewayBudgetPolicyResponse> getCreateGatewayBudgetPolicyMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CreateGatewayBudgetPolicy",
      requestType = llmgateway.v1.CreateGatewayBudgetPolicyRequest.class,
      responseType = llmgateway.v1.CreateGatewayBudgetPolicyResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.CreateGatewayBudgetPolicyRequest,
      llmgateway.v1.CreateGatewayBudgetPolicyResponse> getCreateGatewayBudgetPolicyMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.CreateGatewayBudgetPolicyRequest, llmgateway.v1.CreateGatewayBudgetPolicyResponse> getCreateGatewayBudgetPolicyMethod;
    if ((getCreateGatewayBudgetPolicyMethod = BudgetServiceGrpc.getCreateGatewayBudgetPolicyMethod) == null) {
      synchronized (BudgetServiceGrpc.class) {
        if ((getCreateGatewayBudgetPolicyMethod = BudgetServiceGrpc.getCreateGatewayBudgetPolicyMethod) == null) {
          BudgetServiceGrpc.getCreateGatewayBudgetPolicyMethod = getCreateGatewayBudgetPolicyMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.CreateGatewayBudgetPolicyRequest, llmgateway.v1.CreateGatewayBudgetPolicyResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CreateGatewayBudgetPolicy"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.CreateGatewayBudgetPolicyRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.CreateGatewayBudgetPolicyResponse.getDefaultInstance()))
              .setSchemaDescriptor(new BudgetServiceMethodDescriptorSupplier("CreateGatewayBudgetPolicy"))
              .build();
        }
      }
    }
    return getCreateGatewayBudgetPolicyMethod;
  }

  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.GetGatewayBudgetPolicyRequest,
      llmgateway.v1.GetGatewayBudgetPolicyResponse> getGetGatewayBudgetPolicyMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetGatewayBudgetPolicy",
      requestType = llmgateway.v1.GetGatewayBudgetPolicyRequest.class,
      responseType = llmgateway.v1.GetGatewayBudgetPolicyResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.GetGatewayBudgetPolicyRequest,
      llmgateway.v1.GetGatewayBudgetPolicyResponse> getGetGatewayBudgetPolicyMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.GetGatewayBudgetPolicyRequest, llmgateway.v1.GetGatewayBudgetPolicyResponse> getGetGatewayBudgetPolicyMethod;
    if ((getGetGatewayBudgetPolicyMethod = BudgetServiceGrpc.getGetGatewayBudgetPolicyMethod) == null) {
      synchronized (BudgetServiceGrpc.class) {
        if ((getGetGatewayBudgetPolicyMethod = BudgetServiceGrpc.getGetGatewayBudgetPolicyMethod) == null) {
          BudgetServiceGrpc.getGetGatewayBudgetPolicyMethod = getGetGatewayBudgetPolicyMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.GetGatewayBudgetPolicyRequest, llmgateway.v1.GetGatewayBudgetPolicyResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetGatewayBudgetPolicy"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.GetGatewayBudgetPolicyRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.GetGatewayBudgetPolicyResponse.getDefaultInstance()))
              .setSchemaDescriptor(new BudgetServiceMethodDescriptorSupplier("GetGatewayBudgetPolicy"))
              .build();
        }
      }
    }
    return getGetGatewayBudgetPolicyMethod;
  }

  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.UpdateGatewayBudgetPolicyRequest,
      llmgateway.v1.UpdateGatewayBudgetPolicyResponse> getUpdateGatewayBudgetPolicyMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "UpdateGatewayBudgetPolicy",
      requestType = llmgateway.v1.UpdateGatewayBudgetPolicyRequest.class,
      responseType = llmgateway.v1.UpdateGatewayBudgetPolicyResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.UpdateGatewayBudgetPolicyRequest,
      llmgateway.v1.UpdateGatewayBudgetPolicyResponse> getUpdateGatewayBudgetPolicyMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.UpdateGatewayBudgetPolicyRequest, llmgateway.v1.UpdateGatewayBudgetPolicyResponse> getUpdateGatewayBudgetPolicyMethod;
    if ((getUpdateGatewayBudgetPolicyMethod = BudgetServiceGrpc.getUpdateGatewayBudgetPolicyMethod) == null) {
      synchronized (BudgetServiceGrpc.class) {
        if ((getUpdateGatewayBudgetPolicyMethod = BudgetServiceGrpc.getUpdateGatewayBudgetPolicyMethod) == null) {
          BudgetServiceGrpc.getUpdateGatewayBudgetPolicyMethod = getUpdateGatewayBudgetPolicyMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.UpdateGatewayBudgetPolicyRequest, llmgateway.v1.UpdateGatewayBudgetPolicyResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "UpdateGatewayBudgetPolicy"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.UpdateGatewayBudgetPolicyRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.UpdateGatewayBudgetPolicyResponse.getDefaultInstance()))
              .setSchemaDescriptor(new BudgetServiceMethodDescriptorSupplier("UpdateGatewayBudgetPolicy"))
              .build();
        }
      }
    }
    return getUpdateGatewayBudgetPolicyMethod;
  }

  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.DeleteGatewayBudgetPolicyRequest,
      llmgateway.v1.DeleteGatewayBudgetPolicyResponse> getDeleteGatewayBudgetPolicyMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "DeleteGatewayBudgetPolicy",
      requestType = llmgateway.v1.DeleteGatewayBudgetPolicyRequest.class,
      responseType = llmgateway.v1.DeleteGatewayBudgetPolicyResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.DeleteGatewayBudgetPolicyRequest,
      llmgateway.v1.DeleteGatewayBudgetPolicyResponse> getDeleteGatewayBudgetPolicyMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.DeleteGatewayBudgetPolicyRequest, llmgateway.v1.DeleteGatewayBudgetPolicyResponse> getDeleteGatewayBudgetPolicyMethod;
    if ((getDeleteGatewayBudgetPolicyMethod = BudgetServiceGrpc.getDeleteGatewayBudgetPolicyMethod) == null) {
      synchronized (BudgetServiceGrpc.class) {
        if ((getDeleteGatewayBudgetPolicyMethod = BudgetServiceGrpc.getDeleteGatewayBudgetPolicyMethod) == null) {
          BudgetServiceGrpc.getDeleteGatewayBudgetPolicyMethod = getDeleteGatewayBudgetPolicyMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.DeleteGatewayBudgetPolicyRequest, llmgateway.v1.DeleteGatewayBudgetPolicyResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "DeleteGatewayBudgetPolicy"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.DeleteGatewayBudgetPolicyRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.DeleteGatewayBudgetPolicyResponse.getDefaultInstance()))
              .setSchemaDescriptor(new BudgetServiceMethodDescriptorSupplier("DeleteGatewayBudgetPolicy"))
              .build();
        }
      }
    }
    return getDeleteGatewayBudgetPolicyMethod;
  }

  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.ListGatewayBudgetPoliciesRequest,
      llmgateway.v1.ListGatewayBudgetPoliciesResponse> getListGatewayBudgetPoliciesMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListGatewayBudgetPolicies",
      requestType = llmgateway.v1.ListGatewayBudgetPoliciesRequest.class,
      responseType = llmgateway.v1.ListGatewayBudgetPoliciesResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.ListGatewayBudgetPoliciesRequest,
      llmgateway.v1.ListGatewayBudgetPoliciesResponse> getListGatewayBudgetPoliciesMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.ListGatewayBudgetPoliciesRequest, llmgateway.v1.ListGatewayBudgetPoliciesResponse> getListGatewayBudgetPoliciesMethod;
    if ((getListGatewayBudgetPoliciesMethod = BudgetServiceGrpc.getListGatewayBudgetPoliciesMethod) == null) {
      synchronized (BudgetServiceGrpc.class) {
        if ((getListGatewayBudgetPoliciesMethod = BudgetServiceGrpc.getListGatewayBudgetPoliciesMethod) == null) {
          BudgetServiceGrpc.getListGatewayBudgetPoliciesMethod = getListGatewayBudgetPoliciesMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.ListGatewayBudgetPoliciesRequest, llmgateway.v1.ListGatewayBudgetPoliciesResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListGatewayBudgetPolicies"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.ListGatewayBudgetPoliciesRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.ListGatewayBudgetPoliciesResponse.getDefaultInstance()))
              .setSchemaDescriptor(new BudgetServiceMethodDescriptorSupplier("ListGatewayBudgetPolicies"))
              .build();
        }
      }
    }
    return getListGatewayBudgetPoliciesMethod;
  }

  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.ListGatewayBudgetWindowsRequest,
      llmgateway.v1.ListGatewayBudgetWindowsResponse> getListGatewayBudgetWindowsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListGatewayBudgetWindows",
      requestType = llmgateway.v1.ListGatewayBudgetWindowsRequest.class,
      responseType = llmgateway.v1.ListGatewayBudgetWindowsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.ListGatewayBudgetWindowsRequest,
      llmgateway.v1.ListGatewayBudgetWindowsResponse> getListGatewayBudgetWindowsMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.ListGatewayBudgetWindowsRequest, llmgateway.v1.ListGatewayBudgetWindowsResponse> getListGatewayBudgetWindowsMethod;
    if ((getListGatewayBudgetWindowsMethod = BudgetServiceGrpc.getListGatewayBudgetWindowsMethod) == null) {
      synchronized (BudgetServiceGrpc.class) {
        if ((getListGatewayBudgetWindowsMethod = BudgetServiceGrpc.getListGatewayBudgetWindowsMethod) == null) {
          BudgetServiceGrpc.getListGatewayBudgetWindowsMethod = getListGatewayBudgetWindowsMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.ListGatewayBudgetWindowsRequest, llmgateway.v1.ListGatewayBudgetWindowsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListGatewayBudgetWindows"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.ListGatewayBudgetWindowsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.ListGatewayBudgetWindowsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new BudgetServiceMethodDescriptorSupplier("ListGatewayBudgetWindows"))
              .build();
        }
      }
    }
    return getListGatewayBudgetWindowsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.RecordGatewaySpendRequest,
      llmgateway.v1.RecordGatewaySpendResponse> getRecordGatewaySpendMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "RecordGatewaySpend",
      requestType = llmgateway.v1.RecordGatewaySpendRequest.class,
      responseType = llmgateway.v1.RecordGatewaySpendResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.RecordGatewaySpendRequest,
      llmgateway.v1.RecordGatewaySpendResponse> getRecordGatewaySpendMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.RecordGatewaySpendRequest, llmgateway.v1.RecordGatewaySpendResponse> getRecordGatewaySpendMethod;
    if ((getRecordGatewaySpendMethod = BudgetServiceGrpc.getRecordGatewaySpendMethod) == null) {
      synchronized (BudgetServiceGrpc.class) {
        if ((getRecordGatewaySpendMethod = BudgetServiceGrpc.getRecordGatewaySpendMethod) == null) {
          BudgetServiceGrpc.getRecordGatewaySpendMethod = getRecordGatewaySpendMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.RecordGatewaySpendRequest, llmgateway.v1.RecordGatewaySpendResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "RecordGatewaySpend"))
              .setIdempotent(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.RecordGatewaySpendRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.RecordGatewaySpendResponse.getDefaultInstance()))
              .setSchemaDescriptor(new BudgetServiceMethodDescriptorSupplier("RecordGatewaySpend"))
              .build();
        }
      }
    }
    return getRecordGatewaySpendMethod;
  }

  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.CheckGatewayBudgetRequest,
      llmgateway.v1.CheckGatewayBudgetResponse> getCheckGatewayBudgetMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CheckGatewayBudget",
      requestType = llmgateway.v1.CheckGatewayBudgetRequest.class,
      responseType = llmgateway.v1.CheckGatewayBudgetResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.CheckGatewayBudgetRequest,
      llmgateway.v1.CheckGatewayBudgetResponse> getCheckGatewayBudgetMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.CheckGatewayBudgetRequest, llmgateway.v1.CheckGatewayBudgetResponse> getCheckGatewayBudgetMethod;
    if ((getCheckGatewayBudgetMethod = BudgetServiceGrpc.getCheckGatewayBudgetMethod) == null) {
      synchronized (BudgetServiceGrpc.class) {
        if ((getCheckGatewayBudgetMethod = BudgetServiceGrpc.getCheckGatewayBudgetMethod) == null) {
          BudgetServiceGrpc.getCheckGatewayBudgetMethod = getCheckGatewayBudgetMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.CheckGatewayBudgetRequest, llmgateway.v1.CheckGatewayBudgetResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CheckGatewayBudget"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.CheckGatewayBudgetRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.CheckGatewayBudgetResponse.getDefaultInstance()))
              .setSchemaDescriptor(new BudgetServiceMethodDescriptorSupplier("CheckGatewayBudget"))
              .build();
        }
      }
    }
    return getCheckGatewayBudgetMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static BudgetServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<BudgetServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<BudgetServiceStub>() {
        @java.lang.Override
        public BudgetServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new BudgetServiceStub(channel, callOptions);
        }
      };
    return BudgetServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static BudgetServiceBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<BudgetServiceBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<BudgetServiceBlockingV2Stub>() {
        @java.lang.Override
        public BudgetServiceBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new BudgetServiceBlockingV2Stub(channel, callOptions);
        }
      };
    return BudgetServiceBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static BudgetServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<BudgetServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<BudgetServiceBlockingStub>() {
        @java.lang.Override
        public BudgetServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new BudgetServiceBlockingStub(channel, callOptions);
        }
      };
    return BudgetServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static BudgetServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<BudgetServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<BudgetServiceFutureStub>() {
        @java.lang.Override
        public BudgetServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new BudgetServiceFutureStub(channel, callOptions);
        }
      };
    return BudgetServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * BudgetService manages budget policies, counts what is spent, and tells what may still be spent.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * CreateGatewayBudgetPolicy stores a policy under a new id. Equal policies may coexist. A policy counts what is recorded
     * from then on, and nothing that was recorded before.
     * Errors: INVALID_ARGUMENT (a missing field; an enum value that is not known; an amount that is negative or not
     * finite; a window of no length or of more than 100 years; a target where the scope has none, or none where it
     * needs one; a request_id that was used with another content); NOT_FOUND (the endpoint that an ENDPOINT scope
     * names).
     * </pre>
     */
    default void createGatewayBudgetPolicy(llmgateway.v1.CreateGatewayBudgetPolicyRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.CreateGatewayBudgetPolicyResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCreateGatewayBudgetPolicyMethod(), responseObserver);
    }

    /**
     * <pre>
     * GetGatewayBudgetPolicy reads one policy.
     * Errors: INVALID_ARGUMENT (no budget_policy_id); NOT_FOUND.
     * </pre>
     */
    default void getGatewayBudgetPolicy(llmgateway.v1.GetGatewayBudgetPolicyRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.GetGatewayBudgetPolicyResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetGatewayBudgetPolicyMethod(), responseObserver);
    }

    /**
     * <pre>
     * UpdateGatewayBudgetPolicy changes the named fields of a policy. A new scope drops the old target. Where budget_unit,
     * duration, target_scope or target_value end up different, the policy counts anew from 0.
     * Errors: INVALID_ARGUMENT (as in CreateGatewayBudgetPolicy; an unknown update_mask path; clearing a required
     * field; a request_id that was used with another content); NOT_FOUND (the policy, or the endpoint that an ENDPOINT
     * scope names); ABORTED (the etag is not the current one).
     * </pre>
     */
    default void updateGatewayBudgetPolicy(llmgateway.v1.UpdateGatewayBudgetPolicyRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.UpdateGatewayBudgetPolicyResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getUpdateGatewayBudgetPolicyMethod(), responseObserver);
    }

    /**
     * <pre>
     * DeleteGatewayBudgetPolicy removes a policy and what it counted.
     * Errors: INVALID_ARGUMENT (no budget_policy_id; a request_id that was used with another content); NOT_FOUND;
     * ABORTED (the etag is not the current one).
     * </pre>
     */
    default void deleteGatewayBudgetPolicy(llmgateway.v1.DeleteGatewayBudgetPolicyRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.DeleteGatewayBudgetPolicyResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDeleteGatewayBudgetPolicyMethod(), responseObserver);
    }

    /**
     * <pre>
     * ListGatewayBudgetPolicies lists policies in order of creation, then of id.
     * Every page shows the list as it was when its first page was read.
     * Errors: INVALID_ARGUMENT (max_results below 0 or above 50000; a page_token that is not valid); ABORTED (the list began more than 24
     * hours ago, and was changed since).
     * </pre>
     */
    default void listGatewayBudgetPolicies(llmgateway.v1.ListGatewayBudgetPoliciesRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.ListGatewayBudgetPoliciesResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListGatewayBudgetPoliciesMethod(), responseObserver);
    }

    /**
     * <pre>
     * ListGatewayBudgetWindows shows the window that each policy is in now, in the order of the policies.
     * Errors: INVALID_ARGUMENT (a page_size or page_token that is not valid).
     * </pre>
     */
    default void listGatewayBudgetWindows(llmgateway.v1.ListGatewayBudgetWindowsRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.ListGatewayBudgetWindowsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListGatewayBudgetWindowsMethod(), responseObserver);
    }

    /**
     * <pre>
     * RecordGatewaySpend adds what a request to an endpoint cost to a window of every policy that matches: to all or to
     * none. Those match that have that budget_unit, and the scope GLOBAL; or WORKSPACE, if the workspace is "default", which
     * they all belong to; or ENDPOINT and that endpoint; or USER and that user. A window that ended 24 hours ago or earlier
     * counts nothing more. A request_id is remembered for 24 hours or longer, and so long a repeat changes nothing.
     * Errors: INVALID_ARGUMENT (a missing field; a budget_unit that is not known; a negative amount; an occurred_at more
     * than 24 hours ahead; a request_id that was used with another content); NOT_FOUND (the endpoint); FAILED_PRECONDITION
     * (a window would hold more than 2^63 - 1 millionths).
     * </pre>
     */
    default void recordGatewaySpend(llmgateway.v1.RecordGatewaySpendRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.RecordGatewaySpendResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getRecordGatewaySpendMethod(), responseObserver);
    }

    /**
     * <pre>
     * CheckGatewayBudget tells whether a request to an endpoint may be made now. It may not while the current_spend of a
     * policy that matches, as in RecordGatewaySpend but of any budget_unit, and has the action REJECT, is its budget_amount
     * or more.
     * Errors: INVALID_ARGUMENT (a missing field); NOT_FOUND (the endpoint).
     * </pre>
     */
    default void checkGatewayBudget(llmgateway.v1.CheckGatewayBudgetRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.CheckGatewayBudgetResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCheckGatewayBudgetMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service BudgetService.
   * <pre>
   * BudgetService manages budget policies, counts what is spent, and tells what may still be spent.
   * </pre>
   */
  public static abstract class BudgetServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return BudgetServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service BudgetService.
   * <pre>
   * BudgetService manages budget policies, counts what is spent, and tells what may still be spent.
   * </pre>
   */
  public static final class BudgetServiceStub
      extends io.grpc.stub.AbstractAsyncStub<BudgetServiceStub> {
    private BudgetServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected BudgetServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new BudgetServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * CreateGatewayBudgetPolicy stores a policy under a new id. Equal policies may coexist. A policy counts what is recorded
     * from then on, and nothing that was recorded before.
     * Errors: INVALID_ARGUMENT (a missing field; an enum value that is not known; an amount that is negative or not
     * finite; a window of no length or of more than 100 years; a target where the scope has none, or none where it
     * needs one; a request_id that was used with another content); NOT_FOUND (the endpoint that an ENDPOINT scope
     * names).
     * </pre>
     */
    public void createGatewayBudgetPolicy(llmgateway.v1.CreateGatewayBudgetPolicyRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.CreateGatewayBudgetPolicyResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCreateGatewayBudgetPolicyMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * GetGatewayBudgetPolicy reads one policy.
     * Errors: INVALID_ARGUMENT (no budget_policy_id); NOT_FOUND.
     * </pre>
     */
    public void getGatewayBudgetPolicy(llmgateway.v1.GetGatewayBudgetPolicyRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.GetGatewayBudgetPolicyResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetGatewayBudgetPolicyMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * UpdateGatewayBudgetPolicy changes the named fields of a policy. A new scope drops the old target. Where budget_unit,
     * duration, target_scope or target_value end up different, the policy counts anew from 0.
     * Errors: INVALID_ARGUMENT (as in CreateGatewayBudgetPolicy; an unknown update_mask path; clearing a required
     * field; a request_id that was used with another content); NOT_FOUND (the policy, or the endpoint that an ENDPOINT
     * scope names); ABORTED (the etag is not the current one).
     * </pre>
     */
    public void updateGatewayBudgetPolicy(llmgateway.v1.UpdateGatewayBudgetPolicyRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.UpdateGatewayBudgetPolicyResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getUpdateGatewayBudgetPolicyMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * DeleteGatewayBudgetPolicy removes a policy and what it counted.
     * Errors: INVALID_ARGUMENT (no budget_policy_id; a request_id that was used with another content); NOT_FOUND;
     * ABORTED (the etag is not the current one).
     * </pre>
     */
    public void deleteGatewayBudgetPolicy(llmgateway.v1.DeleteGatewayBudgetPolicyRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.DeleteGatewayBudgetPolicyResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDeleteGatewayBudgetPolicyMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * ListGatewayBudgetPolicies lists policies in order of creation, then of id.
     * Every page shows the list as it was when its first page was read.
     * Errors: INVALID_ARGUMENT (max_results below 0 or above 50000; a page_token that is not valid); ABORTED (the list began more than 24
     * hours ago, and was changed since).
     * </pre>
     */
    public void listGatewayBudgetPolicies(llmgateway.v1.ListGatewayBudgetPoliciesRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.ListGatewayBudgetPoliciesResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListGatewayBudgetPoliciesMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * ListGatewayBudgetWindows shows the window that each policy is in now, in the order of the policies.
     * Errors: INVALID_ARGUMENT (a page_size or page_token that is not valid).
     * </pre>
     */
    public void listGatewayBudgetWindows(llmgateway.v1.ListGatewayBudgetWindowsRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.ListGatewayBudgetWindowsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListGatewayBudgetWindowsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * RecordGatewaySpend adds what a request to an endpoint cost to a window of every policy that matches: to all or to
     * none. Those match that have that budget_unit, and the scope GLOBAL; or WORKSPACE, if the workspace is "default", which
     * they all belong to; or ENDPOINT and that endpoint; or USER and that user. A window that ended 24 hours ago or earlier
     * counts nothing more. A request_id is remembered for 24 hours or longer, and so long a repeat changes nothing.
     * Errors: INVALID_ARGUMENT (a missing field; a budget_unit that is not known; a negative amount; an occurred_at more
     * than 24 hours ahead; a request_id that was used with another content); NOT_FOUND (the endpoint); FAILED_PRECONDITION
     * (a window would hold more than 2^63 - 1 millionths).
     * </pre>
     */
    public void recordGatewaySpend(llmgateway.v1.RecordGatewaySpendRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.RecordGatewaySpendResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getRecordGatewaySpendMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * CheckGatewayBudget tells whether a request to an endpoint may be made now. It may not while the current_spend of a
     * policy that matches, as in RecordGatewaySpend but of any budget_unit, and has the action REJECT, is its budget_amount
     * or more.
     * Errors: INVALID_ARGUMENT (a missing field); NOT_FOUND (the endpoint).
     * </pre>
     */
    public void checkGatewayBudget(llmgateway.v1.CheckGatewayBudgetRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.CheckGatewayBudgetResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCheckGatewayBudgetMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service BudgetService.
   * <pre>
   * BudgetService manages budget policies, counts what is spent, and tells what may still be spent.
   * </pre>
   */
  public static final class BudgetServiceBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<BudgetServiceBlockingV2Stub> {
    private BudgetServiceBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected BudgetServiceBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new BudgetServiceBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * CreateGatewayBudgetPolicy stores a policy under a new id. Equal policies may coexist. A policy counts what is recorded
     * from then on, and nothing that was recorded before.
     * Errors: INVALID_ARGUMENT (a missing field; an enum value that is not known; an amount that is negative or not
     * finite; a window of no length or of more than 100 years; a target where the scope has none, or none where it
     * needs one; a request_id that was used with another content); NOT_FOUND (the endpoint that an ENDPOINT scope
     * names).
     * </pre>
     */
    public llmgateway.v1.CreateGatewayBudgetPolicyResponse createGatewayBudgetPolicy(llmgateway.v1.CreateGatewayBudgetPolicyRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getCreateGatewayBudgetPolicyMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * GetGatewayBudgetPolicy reads one policy.
     * Errors: INVALID_ARGUMENT (no budget_policy_id); NOT_FOUND.
     * </pre>
     */
    public llmgateway.v1.GetGatewayBudgetPolicyResponse getGatewayBudgetPolicy(llmgateway.v1.GetGatewayBudgetPolicyRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetGatewayBudgetPolicyMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * UpdateGatewayBudgetPolicy changes the named fields of a policy. A new scope drops the old target. Where budget_unit,
     * duration, target_scope or target_value end up different, the policy counts anew from 0.
     * Errors: INVALID_ARGUMENT (as in CreateGatewayBudgetPolicy; an unknown update_mask path; clearing a required
     * field; a request_id that was used with another content); NOT_FOUND (the policy, or the endpoint that an ENDPOINT
     * scope names); ABORTED (the etag is not the current one).
     * </pre>
     */
    public llmgateway.v1.UpdateGatewayBudgetPolicyResponse updateGatewayBudgetPolicy(llmgateway.v1.UpdateGatewayBudgetPolicyRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getUpdateGatewayBudgetPolicyMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * DeleteGatewayBudgetPolicy removes a policy and what it counted.
     * Errors: INVALID_ARGUMENT (no budget_policy_id; a request_id that was used with another content); NOT_FOUND;
     * ABORTED (the etag is not the current one).
     * </pre>
     */
    public llmgateway.v1.DeleteGatewayBudgetPolicyResponse deleteGatewayBudgetPolicy(llmgateway.v1.DeleteGatewayBudgetPolicyRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getDeleteGatewayBudgetPolicyMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * ListGatewayBudgetPolicies lists policies in order of creation, then of id.
     * Every page shows the list as it was when its first page was read.
     * Errors: INVALID_ARGUMENT (max_results below 0 or above 50000; a page_token that is not valid); ABORTED (the list began more than 24
     * hours ago, and was changed since).
     * </pre>
     */
    public llmgateway.v1.ListGatewayBudgetPoliciesResponse listGatewayBudgetPolicies(llmgateway.v1.ListGatewayBudgetPoliciesRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListGatewayBudgetPoliciesMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * ListGatewayBudgetWindows shows the window that each policy is in now, in the order of the policies.
     * Errors: INVALID_ARGUMENT (a page_size or page_token that is not valid).
     * </pre>
     */
    public llmgateway.v1.ListGatewayBudgetWindowsResponse listGatewayBudgetWindows(llmgateway.v1.ListGatewayBudgetWindowsRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListGatewayBudgetWindowsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * RecordGatewaySpend adds what a request to an endpoint cost to a window of every policy that matches: to all or to
     * none. Those match that have that budget_unit, and the scope GLOBAL; or WORKSPACE, if the workspace is "default", which
     * they all belong to; or ENDPOINT and that endpoint; or USER and that user. A window that ended 24 hours ago or earlier
     * counts nothing more. A request_id is remembered for 24 hours or longer, and so long a repeat changes nothing.
     * Errors: INVALID_ARGUMENT (a missing field; a budget_unit that is not known; a negative amount; an occurred_at more
     * than 24 hours ahead; a request_id that was used with another content); NOT_FOUND (the endpoint); FAILED_PRECONDITION
     * (a window would hold more than 2^63 - 1 millionths).
     * </pre>
     */
    public llmgateway.v1.RecordGatewaySpendResponse recordGatewaySpend(llmgateway.v1.RecordGatewaySpendRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getRecordGatewaySpendMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * CheckGatewayBudget tells whether a request to an endpoint may be made now. It may not while the current_spend of a
     * policy that matches, as in RecordGatewaySpend but of any budget_unit, and has the action REJECT, is its budget_amount
     * or more.
     * Errors: INVALID_ARGUMENT (a missing field); NOT_FOUND (the endpoint).
     * </pre>
     */
    public llmgateway.v1.CheckGatewayBudgetResponse checkGatewayBudget(llmgateway.v1.CheckGatewayBudgetRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getCheckGatewayBudgetMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service BudgetService.
   * <pre>
   * BudgetService manages budget policies, counts what is spent, and tells what may still be spent.
   * </pre>
   */
  public static final class BudgetServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<BudgetServiceBlockingStub> {
    private BudgetServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected BudgetServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new BudgetServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * CreateGatewayBudgetPolicy stores a policy under a new id. Equal policies may coexist. A policy counts what is recorded
     * from then on, and nothing that was recorded before.
     * Errors: INVALID_ARGUMENT (a missing field; an enum value that is not known; an amount that is negative or not
     * finite; a window of no length or of more than 100 years; a target where the scope has none, or none where it
     * needs one; a request_id that was used with another content); NOT_FOUND (the endpoint that an ENDPOINT scope
     * names).
     * </pre>
     */
    public llmgateway.v1.CreateGatewayBudgetPolicyResponse createGatewayBudgetPolicy(llmgateway.v1.CreateGatewayBudgetPolicyRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCreateGatewayBudgetPolicyMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * GetGatewayBudgetPolicy reads one policy.
     * Errors: INVALID_ARGUMENT (no budget_policy_id); NOT_FOUND.
     * </pre>
     */
    public llmgateway.v1.GetGatewayBudgetPolicyResponse getGatewayBudgetPolicy(llmgateway.v1.GetGatewayBudgetPolicyRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetGatewayBudgetPolicyMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * UpdateGatewayBudgetPolicy changes the named fields of a policy. A new scope drops the old target. Where budget_unit,
     * duration, target_scope or target_value end up different, the policy counts anew from 0.
     * Errors: INVALID_ARGUMENT (as in CreateGatewayBudgetPolicy; an unknown update_mask path; clearing a required
     * field; a request_id that was used with another content); NOT_FOUND (the policy, or the endpoint that an ENDPOINT
     * scope names); ABORTED (the etag is not the current one).
     * </pre>
     */
    public llmgateway.v1.UpdateGatewayBudgetPolicyResponse updateGatewayBudgetPolicy(llmgateway.v1.UpdateGatewayBudgetPolicyRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getUpdateGatewayBudgetPolicyMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * DeleteGatewayBudgetPolicy removes a policy and what it counted.
     * Errors: INVALID_ARGUMENT (no budget_policy_id; a request_id that was used with another content); NOT_FOUND;
     * ABORTED (the etag is not the current one).
     * </pre>
     */
    public llmgateway.v1.DeleteGatewayBudgetPolicyResponse deleteGatewayBudgetPolicy(llmgateway.v1.DeleteGatewayBudgetPolicyRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDeleteGatewayBudgetPolicyMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * ListGatewayBudgetPolicies lists policies in order of creation, then of id.
     * Every page shows the list as it was when its first page was read.
     * Errors: INVALID_ARGUMENT (max_results below 0 or above 50000; a page_token that is not valid); ABORTED (the list began more than 24
     * hours ago, and was changed since).
     * </pre>
     */
    public llmgateway.v1.ListGatewayBudgetPoliciesResponse listGatewayBudgetPolicies(llmgateway.v1.ListGatewayBudgetPoliciesRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListGatewayBudgetPoliciesMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * ListGatewayBudgetWindows shows the window that each policy is in now, in the order of the policies.
     * Errors: INVALID_ARGUMENT (a page_size or page_token that is not valid).
     * </pre>
     */
    public llmgateway.v1.ListGatewayBudgetWindowsResponse listGatewayBudgetWindows(llmgateway.v1.ListGatewayBudgetWindowsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListGatewayBudgetWindowsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * RecordGatewaySpend adds what a request to an endpoint cost to a window of every policy that matches: to all or to
     * none. Those match that have that budget_unit, and the scope GLOBAL; or WORKSPACE, if the workspace is "default", which
     * they all belong to; or ENDPOINT and that endpoint; or USER and that user. A window that ended 24 hours ago or earlier
     * counts nothing more. A request_id is remembered for 24 hours or longer, and so long a repeat changes nothing.
     * Errors: INVALID_ARGUMENT (a missing field; a budget_unit that is not known; a negative amount; an occurred_at more
     * than 24 hours ahead; a request_id that was used with another content); NOT_FOUND (the endpoint); FAILED_PRECONDITION
     * (a window would hold more than 2^63 - 1 millionths).
     * </pre>
     */
    public llmgateway.v1.RecordGatewaySpendResponse recordGatewaySpend(llmgateway.v1.RecordGatewaySpendRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getRecordGatewaySpendMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * CheckGatewayBudget tells whether a request to an endpoint may be made now. It may not while the current_spend of a
     * policy that matches, as in RecordGatewaySpend but of any budget_unit, and has the action REJECT, is its budget_amount
     * or more.
     * Errors: INVALID_ARGUMENT (a missing field); NOT_FOUND (the endpoint).
     * </pre>
     */
    public llmgateway.v1.CheckGatewayBudgetResponse checkGatewayBudget(llmgateway.v1.CheckGatewayBudgetRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCheckGatewayBudgetMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service BudgetService.
   * <pre>
   * BudgetService manages budget policies, counts what is spent, and tells what may still be spent.
   * </pre>
   */
  public static final class BudgetServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<BudgetServiceFutureStub> {
    private BudgetServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected BudgetServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new BudgetServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * CreateGatewayBudgetPolicy stores a policy under a new id. Equal policies may coexist. A policy counts what is recorded
     * from then on, and nothing that was recorded before.
     * Errors: INVALID_ARGUMENT (a missing field; an enum value that is not known; an amount that is negative or not
     * finite; a window of no length or of more than 100 years; a target where the scope has none, or none where it
     * needs one; a request_id that was used with another content); NOT_FOUND (the endpoint that an ENDPOINT scope
     * names).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.CreateGatewayBudgetPolicyResponse> createGatewayBudgetPolicy(
        llmgateway.v1.CreateGatewayBudgetPolicyRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCreateGatewayBudgetPolicyMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * GetGatewayBudgetPolicy reads one policy.
     * Errors: INVALID_ARGUMENT (no budget_policy_id); NOT_FOUND.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.GetGatewayBudgetPolicyResponse> getGatewayBudgetPolicy(
        llmgateway.v1.GetGatewayBudgetPolicyRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetGatewayBudgetPolicyMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * UpdateGatewayBudgetPolicy changes the named fields of a policy. A new scope drops the old target. Where budget_unit,
     * duration, target_scope or target_value end up different, the policy counts anew from 0.
     * Errors: INVALID_ARGUMENT (as in CreateGatewayBudgetPolicy; an unknown update_mask path; clearing a required
     * field; a request_id that was used with another content); NOT_FOUND (the policy, or the endpoint that an ENDPOINT
     * scope names); ABORTED (the etag is not the current one).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.UpdateGatewayBudgetPolicyResponse> updateGatewayBudgetPolicy(
        llmgateway.v1.UpdateGatewayBudgetPolicyRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getUpdateGatewayBudgetPolicyMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * DeleteGatewayBudgetPolicy removes a policy and what it counted.
     * Errors: INVALID_ARGUMENT (no budget_policy_id; a request_id that was used with another content); NOT_FOUND;
     * ABORTED (the etag is not the current one).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.DeleteGatewayBudgetPolicyResponse> deleteGatewayBudgetPolicy(
        llmgateway.v1.DeleteGatewayBudgetPolicyRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDeleteGatewayBudgetPolicyMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * ListGatewayBudgetPolicies lists policies in order of creation, then of id.
     * Every page shows the list as it was when its first page was read.
     * Errors: INVALID_ARGUMENT (max_results below 0 or above 50000; a page_token that is not valid); ABORTED (the list began more than 24
     * hours ago, and was changed since).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.ListGatewayBudgetPoliciesResponse> listGatewayBudgetPolicies(
        llmgateway.v1.ListGatewayBudgetPoliciesRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListGatewayBudgetPoliciesMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * ListGatewayBudgetWindows shows the window that each policy is in now, in the order of the policies.
     * Errors: INVALID_ARGUMENT (a page_size or page_token that is not valid).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.ListGatewayBudgetWindowsResponse> listGatewayBudgetWindows(
        llmgateway.v1.ListGatewayBudgetWindowsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListGatewayBudgetWindowsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * RecordGatewaySpend adds what a request to an endpoint cost to a window of every policy that matches: to all or to
     * none. Those match that have that budget_unit, and the scope GLOBAL; or WORKSPACE, if the workspace is "default", which
     * they all belong to; or ENDPOINT and that endpoint; or USER and that user. A window that ended 24 hours ago or earlier
     * counts nothing more. A request_id is remembered for 24 hours or longer, and so long a repeat changes nothing.
     * Errors: INVALID_ARGUMENT (a missing field; a budget_unit that is not known; a negative amount; an occurred_at more
     * than 24 hours ahead; a request_id that was used with another content); NOT_FOUND (the endpoint); FAILED_PRECONDITION
     * (a window would hold more than 2^63 - 1 millionths).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.RecordGatewaySpendResponse> recordGatewaySpend(
        llmgateway.v1.RecordGatewaySpendRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getRecordGatewaySpendMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * CheckGatewayBudget tells whether a request to an endpoint may be made now. It may not while the current_spend of a
     * policy that matches, as in RecordGatewaySpend but of any budget_unit, and has the action REJECT, is its budget_amount
     * or more.
     * Errors: INVALID_ARGUMENT (a missing field); NOT_FOUND (the endpoint).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.CheckGatewayBudgetResponse> checkGatewayBudget(
        llmgateway.v1.CheckGatewayBudgetRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCheckGatewayBudgetMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_CREATE_GATEWAY_BUDGET_POLICY = 0;
  private static final int METHODID_GET_GATEWAY_BUDGET_POLICY = 1;
  private static final int METHODID_UPDATE_GATEWAY_BUDGET_POLICY = 2;
  private static final int METHODID_DELETE_GATEWAY_BUDGET_POLICY = 3;
  private static final int METHODID_LIST_GATEWAY_BUDGET_POLICIES = 4;
  private static final int METHODID_LIST_GATEWAY_BUDGET_WINDOWS = 5;
  private static final int METHODID_RECORD_GATEWAY_SPEND = 6;
  private static final int METHODID_CHECK_GATEWAY_BUDGET = 7;

  private static final class MethodHandlers<Req, Resp> implements
      io.grpc.stub.ServerCalls.UnaryMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ServerStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ClientStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.BidiStreamingMethod<Req, Resp> {
    private final AsyncService serviceImpl;
    private final int methodId;

    MethodHandlers(AsyncService serviceImpl, int methodId) {
      this.serviceImpl = serviceImpl;
      this.methodId = methodId;
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public void invoke(Req request, io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_CREATE_GATEWAY_BUDGET_POLICY:
          serviceImpl.createGatewayBudgetPolicy((llmgateway.v1.CreateGatewayBudgetPolicyRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.CreateGatewayBudgetPolicyResponse>) responseObserver);
          break;
        case METHODID_GET_GATEWAY_BUDGET_POLICY:
          serviceImpl.getGatewayBudgetPolicy((llmgateway.v1.GetGatewayBudgetPolicyRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.GetGatewayBudgetPolicyResponse>) responseObserver);
          break;
        case METHODID_UPDATE_GATEWAY_BUDGET_POLICY:
          serviceImpl.updateGatewayBudgetPolicy((llmgateway.v1.UpdateGatewayBudgetPolicyRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.UpdateGatewayBudgetPolicyResponse>) responseObserver);
          break;
        case METHODID_DELETE_GATEWAY_BUDGET_POLICY:
          serviceImpl.deleteGatewayBudgetPolicy((llmgateway.v1.DeleteGatewayBudgetPolicyRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.DeleteGatewayBudgetPolicyResponse>) responseObserver);
          break;
        case METHODID_LIST_GATEWAY_BUDGET_POLICIES:
          serviceImpl.listGatewayBudgetPolicies((llmgateway.v1.ListGatewayBudgetPoliciesRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.ListGatewayBudgetPoliciesResponse>) responseObserver);
          break;
        case METHODID_LIST_GATEWAY_BUDGET_WINDOWS:
          serviceImpl.listGatewayBudgetWindows((llmgateway.v1.ListGatewayBudgetWindowsRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.ListGatewayBudgetWindowsResponse>) responseObserver);
          break;
        case METHODID_RECORD_GATEWAY_SPEND:
          serviceImpl.recordGatewaySpend((llmgateway.v1.RecordGatewaySpendRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.RecordGatewaySpendResponse>) responseObserver);
          break;
        case METHODID_CHECK_GATEWAY_BUDGET:
          serviceImpl.checkGatewayBudget((llmgateway.v1.CheckGatewayBudgetRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.CheckGatewayBudgetResponse>) responseObserver);
          break;
        default:
          throw new AssertionError();
      }
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public io.grpc.stub.StreamObserver<Req> invoke(
        io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        default:
          throw new AssertionError();
      }
    }
  }

  public static final io.grpc.ServerServiceDefinition bindService(AsyncService service) {
    return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
        .addMethod(
          getCreateGatewayBudgetPolicyMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.CreateGatewayBudgetPolicyRequest,
              llmgateway.v1.CreateGatewayBudgetPolicyResponse>(
                service, METHODID_CREATE_GATEWAY_BUDGET_POLICY)))
        .addMethod(
          getGetGatewayBudgetPolicyMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.GetGatewayBudgetPolicyRequest,
              llmgateway.v1.GetGatewayBudgetPolicyResponse>(
                service, METHODID_GET_GATEWAY_BUDGET_POLICY)))
        .addMethod(
          getUpdateGatewayBudgetPolicyMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.UpdateGatewayBudgetPolicyRequest,
              llmgateway.v1.UpdateGatewayBudgetPolicyResponse>(
                service, METHODID_UPDATE_GATEWAY_BUDGET_POLICY)))
        .addMethod(
          getDeleteGatewayBudgetPolicyMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.DeleteGatewayBudgetPolicyRequest,
              llmgateway.v1.DeleteGatewayBudgetPolicyResponse>(
                service, METHODID_DELETE_GATEWAY_BUDGET_POLICY)))
        .addMethod(
          getListGatewayBudgetPoliciesMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.ListGatewayBudgetPoliciesRequest,
              llmgateway.v1.ListGatewayBudgetPoliciesResponse>(
                service, METHODID_LIST_GATEWAY_BUDGET_POLICIES)))
        .addMethod(
          getListGatewayBudgetWindowsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.ListGatewayBudgetWindowsRequest,
              llmgateway.v1.ListGatewayBudgetWindowsResponse>(
                service, METHODID_LIST_GATEWAY_BUDGET_WINDOWS)))
        .addMethod(
          getRecordGatewaySpendMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.RecordGatewaySpendRequest,
              llmgateway.v1.RecordGatewaySpendResponse>(
                service, METHODID_RECORD_GATEWAY_SPEND)))
        .addMethod(
          getCheckGatewayBudgetMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.CheckGatewayBudgetRequest,
              llmgateway.v1.CheckGatewayBudgetResponse>(
                service, METHODID_CHECK_GATEWAY_BUDGET)))
        .build();
  }

  private static abstract class BudgetServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    BudgetServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return llmgateway.v1.Budget.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("BudgetService");
    }
  }

  private static final class BudgetServiceFileDescriptorSupplier
      extends BudgetServiceBaseDescriptorSupplier {
    BudgetServiceFileDescriptorSupplier() {}
  }

  private static final class BudgetServiceMethodDescriptorSupplier
      extends BudgetServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    BudgetServiceMethodDescriptorSupplier(java.lang.String methodName) {
      this.methodName = methodName;
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.MethodDescriptor getMethodDescriptor() {
      return getServiceDescriptor().findMethodByName(methodName);
    }
  }

  private static volatile io.grpc.ServiceDescriptor serviceDescriptor;

  public static io.grpc.ServiceDescriptor getServiceDescriptor() {
    io.grpc.ServiceDescriptor result = serviceDescriptor;
    if (result == null) {
      synchronized (BudgetServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new BudgetServiceFileDescriptorSupplier())
              .addMethod(getCreateGatewayBudgetPolicyMethod())
              .addMethod(getGetGatewayBudgetPolicyMethod())
              .addMethod(getUpdateGatewayBudgetPolicyMethod())
              .addMethod(getDeleteGatewayBudgetPolicyMethod())
              .addMethod(getListGatewayBudgetPoliciesMethod())
              .addMethod(getListGatewayBudgetWindowsMethod())
              .addMethod(getRecordGatewaySpendMethod())
              .addMethod(getCheckGatewayBudgetMethod())
              .build();
        }
      }
    }
    return result;
  }
}
