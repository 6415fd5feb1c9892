package llmgateway.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * EndpointService manages endpoints, the models attached to them and their tags.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class EndpointServiceGrpc {

  private EndpointServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "llm_gateway.v1.EndpointService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.CreateGatewayEndpointRequest,
      llmgateway.v1.CreateGatewayEndpointResponse> getCreateGatewayEndpointMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CreateGatewayEndpoint",
      requestType = llmgateway.v1.CreateGatewayEndpointRequest.class,
      responseType = llmgateway.v1.CreateGatewayEndpointResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.CreateGatewayEndpointRequest,
      llmgateway.v1.CreateGatewayEndpointResponse> getCreateGatewayEndpointMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.CreateGatewayEndpointRequest, llmgateway.v1.CreateGatewayEndpointResponse> getCreateGatewayEndpointMethod;
    if ((getCreateGatewayEndpointMethod = EndpointServiceGrpc.getCreateGatewayEndpointMethod) == null) {
      synchronized (EndpointServiceGrpc.class) {
        if ((getCreateGatewayEndpointMethod = EndpointServiceGrpc.getCreateGatewayEndpointMethod) == null) {
          EndpointServiceGrpc.getCreateGatewayEndpointMethod = getCreateGatewayEndpointMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.CreateGatewayEndpointRequest, llmgateway.v1.CreateGatewayEndpointResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CreateGatewayEndpoint"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.CreateGatewayEndpointRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.CreateGatewayEndpointResponse.getDefaultInstance()))
              .setSchemaDescriptor(new EndpointServiceMethodDescriptorSupplier("CreateGatewayEndpoint"))
              .build();
        }
      }
    }
    return getCreateGatewayEndpointMethod;
  }

  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.GetGatewayEndpointRequest,
      llmgateway.v1.GetGatewayEndpointResponse> getGetGatewayEndpointMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetGatewayEndpoint",
      requestType = llmgateway.v1.GetGatewayEndpointRequest.class,
      responseType = llmgateway.v1.GetGatewayEndpointResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.GetGatewayEndpointRequest,
      llmgateway.v1.GetGatewayEndpointResponse> getGetGatewayEndpointMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.GetGatewayEndpointRequest, llmgateway.v1.GetGatewayEndpointResponse> getGetGatewayEndpointMethod;
    if ((getGetGatewayEndpointMethod = EndpointServiceGrpc.getGetGatewayEndpointMethod) == null) {
      synchronized (EndpointServiceGrpc.class) {
        if ((getGetGatewayEndpointMethod = EndpointServiceGrpc.getGetGatewayEndpointMethod) == null) {
          EndpointServiceGrpc.getGetGatewayEndpointMethod = getGetGatewayEndpointMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.GetGatewayEndpointRequest, llmgateway.v1.GetGatewayEndpointResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetGatewayEndpoint"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.GetGatewayEndpointRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.GetGatewayEndpointResponse.getDefaultInstance()))
              .setSchemaDescriptor(new EndpointServiceMethodDescriptorSupplier("GetGatewayEndpoint"))
              .build();
        }
      }
    }
    return getGetGatewayEndpointMethod;
  }

  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.UpdateGatewayEndpointRequest,
      llmgateway.v1.UpdateGatewayEndpointResponse> getUpdateGatewayEndpointMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "UpdateGatewayEndpoint",
      requestType = llmgateway.v1.UpdateGatewayEndpointRequest.class,
      responseType = llmgateway.v1.UpdateGatewayEndpointResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.UpdateGatewayEndpointRequest,
      llmgateway.v1.UpdateGatewayEndpointResponse> getUpdateGatewayEndpointMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.UpdateGatewayEndpointRequest, llmgateway.v1.UpdateGatewayEndpointResponse> getUpdateGatewayEndpointMethod;
    if ((getUpdateGatewayEndpointMethod = EndpointServiceGrpc.getUpdateGatewayEndpointMethod) == null) {
      synchronized (EndpointServiceGrpc.class) {
        if ((getUpdateGatewayEndpointMethod = EndpointServiceGrpc.getUpdateGatewayEndpointMethod) == null) {
          EndpointServiceGrpc.getUpdateGatewayEndpointMethod = getUpdateGatewayEndpointMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.UpdateGatewayEndpointRequest, llmgateway.v1.UpdateGatewayEndpointResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "UpdateGatewayEndpoint"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.UpdateGatewayEndpointRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.UpdateGatewayEndpointResponse.getDefaultInstance()))
              .setSchemaDescriptor(new EndpointServiceMethodDescriptorSupplier("UpdateGatewayEndpoint"))
              .build();
        }
      }
    }
    return getUpdateGatewayEndpointMethod;
  }

  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.DeleteGatewayEndpointRequest,
      llmgateway.v1.DeleteGatewayEndpointResponse> getDeleteGatewayEndpointMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "DeleteGatewayEndpoint",
      requestType = llmgateway.v1.DeleteGatewayEndpointRequest.class,
      responseType = llmgateway.v1.DeleteGatewayEndpointResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.DeleteGatewayEndpointRequest,
      llmgateway.v1.DeleteGatewayEndpointResponse> getDeleteGatewayEndpointMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.DeleteGatewayEndpointRequest, llmgateway.v1.DeleteGatewayEndpointResponse> getDeleteGatewayEndpointMethod;
    if ((getDeleteGatewayEndpointMethod = EndpointServiceGrpc.getDeleteGatewayEndpointMethod) == null) {
      synchronized (EndpointServiceGrpc.class) {
        if ((getDeleteGatewayEndpointMethod = EndpointServiceGrpc.getDeleteGatewayEndpointMethod) == null) {
          EndpointServiceGrpc.getDeleteGatewayEndpointMethod = getDeleteGatewayEndpointMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.DeleteGatewayEndpointRequest, llmgateway.v1.DeleteGatewayEndpointResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "DeleteGatewayEndpoint"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.DeleteGatewayEndpointRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.DeleteGatewayEndpointResponse.getDefaultInstance()))
              .setSchemaDescriptor(new EndpointServiceMethodDescriptorSupplier("DeleteGatewayEndpoint"))
              .build();
        }
      }
    }
    return getDeleteGatewayEndpointMethod;
  }

  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.ListGatewayEndpointsRequest,
      llmgateway.v1.ListGatewayEndpointsResponse> getListGatewayEndpointsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListGatewayEndpoints",
      requestType = llmgateway.v1.ListGatewayEndpointsRequest.class,
      responseType = llmgateway.v1.ListGatewayEndpointsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.ListGatewayEndpointsRequest,
      llmgateway.v1.ListGatewayEndpointsResponse> getListGatewayEndpointsMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.ListGatewayEndpointsRequest, llmgateway.v1.ListGatewayEndpointsResponse> getListGatewayEndpointsMethod;
    if ((getListGatewayEndpointsMethod = EndpointServiceGrpc.getListGatewayEndpointsMethod) == null) {
      synchronized (EndpointServiceGrpc.class) {
        if ((getListGatewayEndpointsMethod = EndpointServiceGrpc.getListGatewayEndpointsMethod) == null) {
          EndpointServiceGrpc.getListGatewayEndpointsMethod = getListGatewayEndpointsMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.ListGatewayEndpointsRequest, llmgateway.v1.ListGatewayEndpointsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListGatewayEndpoints"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.ListGatewayEndpointsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.ListGatewayEndpointsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new EndpointServiceMethodDescriptorSupplier("ListGatewayEndpoints"))
              .build();
        }
      }
    }
    return getListGatewayEndpointsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.AttachModelToGatewayEndpointRequest,
      llmgateway.v1.AttachModelToGatewayEndpointResponse> getAttachModelToGatewayEndpointMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "AttachModelToGatewayEndpoint",
      requestType = llmgateway.v1.AttachModelToGatewayEndpointRequest.class,
      responseType = llmgateway.v1.AttachModelToGatewayEndpointResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.AttachModelToGatewayEndpointRequest,
      llmgateway.v1.AttachModelToGatewayEndpointResponse> getAttachModelToGatewayEndpointMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.AttachModelToGatewayEndpointRequest, llmgateway.v1.AttachModelToGatewayEndpointResponse> getAttachModelToGatewayEndpointMethod;
    if ((getAttachModelToGatewayEndpointMethod = EndpointServiceGrpc.getAttachModelToGatewayEndpointMethod) == null) {
      synchronized (EndpointServiceGrpc.class) {
        if ((getAttachModelToGatewayEndpointMethod = EndpointServiceGrpc.getAttachModelToGatewayEndpointMethod) == null) {
          EndpointServiceGrpc.getAttachModelToGatewayEndpointMethod = getAttachModelToGatewayEndpointMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.AttachModelToGatewayEndpointRequest, llmgateway.v1.AttachModelToGatewayEndpointResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "AttachModelToGatewayEndpoint"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.AttachModelToGatewayEndpointRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.AttachModelToGatewayEndpointResponse.getDefaultInstance()))
              .setSchemaDescriptor(new EndpointServiceMethodDescriptorSupplier("AttachModelToGatewayEndpoint"))
              .build();
        }
      }
    }
    return getAttachModelToGatewayEndpointMethod;
  }

  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.DetachModelFromGatewayEndpointRequest,
      llmgateway.v1.DetachModelFromGatewayEndpointResponse> getDetachModelFromGatewayEndpointMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "DetachModelFromGatewayEndpoint",
      requestType = llmgateway.v1.DetachModelFromGatewayEndpointRequest.class,
      responseType = llmgateway.v1.DetachModelFromGatewayEndpointResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.DetachModelFromGatewayEndpointRequest,
      llmgateway.v1.DetachModelFromGatewayEndpointResponse> getDetachModelFromGatewayEndpointMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.DetachModelFromGatewayEndpointRequest, llmgateway.v1.DetachModelFromGatewayEndpointResponse> getDetachModelFromGatewayEndpointMethod;
    if ((getDetachModelFromGatewayEndpointMethod = EndpointServiceGrpc.getDetachModelFromGatewayEndpointMethod) == null) {
      synchronized (EndpointServiceGrpc.class) {
        if ((getDetachModelFromGatewayEndpointMethod = EndpointServiceGrpc.getDetachModelFromGatewayEndpointMethod) == null) {
          EndpointServiceGrpc.getDetachModelFromGatewayEndpointMethod = getDetachModelFromGatewayEndpointMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.DetachModelFromGatewayEndpointRequest, llmgateway.v1.DetachModelFromGatewayEndpointResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "DetachModelFromGatewayEndpoint"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.DetachModelFromGatewayEndpointRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.DetachModelFromGatewayEndpointResponse.getDefaultInstance()))
              .setSchemaDescriptor(new EndpointServiceMethodDescriptorSupplier("DetachModelFromGatewayEndpoint"))
              .build();
        }
      }
    }
    return getDetachModelFromGatewayEndpointMethod;
  }

  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.SetGatewayEndpointTagRequest,
      llmgateway.v1.SetGatewayEndpointTagResponse> getSetGatewayEndpointTagMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "SetGatewayEndpointTag",
      requestType = llmgateway.v1.SetGatewayEndpointTagRequest.class,
      responseType = llmgateway.v1.SetGatewayEndpointTagResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.SetGatewayEndpointTagRequest,
      llmgateway.v1.SetGatewayEndpointTagResponse> getSetGatewayEndpointTagMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.SetGatewayEndpointTagRequest, llmgateway.v1.SetGatewayEndpointTagResponse> getSetGatewayEndpointTagMethod;
    if ((getSetGatewayEndpointTagMethod = EndpointServiceGrpc.getSetGatewayEndpointTagMethod) == null) {
      synchronized (EndpointServiceGrpc.class) {
        if ((getSetGatewayEndpointTagMethod = EndpointServiceGrpc.getSetGatewayEndpointTagMethod) == null) {
          EndpointServiceGrpc.getSetGatewayEndpointTagMethod = getSetGatewayEndpointTagMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.SetGatewayEndpointTagRequest, llmgateway.v1.SetGatewayEndpointTagResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "SetGatewayEndpointTag"))
              .setIdempotent(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.SetGatewayEndpointTagRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.SetGatewayEndpointTagResponse.getDefaultInstance()))
              .setSchemaDescriptor(new EndpointServiceMethodDescriptorSupplier("SetGatewayEndpointTag"))
              .build();
        }
      }
    }
    return getSetGatewayEndpointTagMethod;
  }

  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.DeleteGatewayEndpointTagRequest,
      llmgateway.v1.DeleteGatewayEndpointTagResponse> getDeleteGatewayEndpointTagMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "DeleteGatewayEndpointTag",
      requestType = llmgateway.v1.DeleteGatewayEndpointTagRequest.class,
      responseType = llmgateway.v1.DeleteGatewayEndpointTagResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.DeleteGatewayEndpointTagRequest,
      llmgateway.v1.DeleteGatewayEndpointTagResponse> getDeleteGatewayEndpointTagMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.DeleteGatewayEndpointTagRequest, llmgateway.v1.DeleteGatewayEndpointTagResponse> getDeleteGatewayEndpointTagMethod;
    if ((getDeleteGatewayEndpointTagMethod = EndpointServiceGrpc.getDeleteGatewayEndpointTagMethod) == null) {
      synchronized (EndpointServiceGrpc.class) {
        if ((getDeleteGatewayEndpointTagMethod = EndpointServiceGrpc.getDeleteGatewayEndpointTagMethod) == null) {
          EndpointServiceGrpc.getDeleteGatewayEndpointTagMethod = getDeleteGatewayEndpointTagMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.DeleteGatewayEndpointTagRequest, llmgateway.v1.DeleteGatewayEndpointTagResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "DeleteGatewayEndpointTag"))
              .setIdempotent(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.DeleteGatewayEndpointTagRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.DeleteGatewayEndpointTagResponse.getDefaultInstance()))
              .setSchemaDescriptor(new EndpointServiceMethodDescriptorSupplier("DeleteGatewayEndpointTag"))
              .build();
        }
      }
    }
    return getDeleteGatewayEndpointTagMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static EndpointServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<EndpointServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<EndpointServiceStub>() {
        @java.lang.Override
        public EndpointServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new EndpointServiceStub(channel, callOptions);
        }
      };
    return EndpointServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static EndpointServiceBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<EndpointServiceBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<EndpointServiceBlockingV2Stub>() {
        @java.lang.Override
        public EndpointServiceBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new EndpointServiceBlockingV2Stub(channel, callOptions);
        }
      };
    return EndpointServiceBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static EndpointServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<EndpointServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<EndpointServiceBlockingStub>() {
        @java.lang.Override
        public EndpointServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new EndpointServiceBlockingStub(channel, callOptions);
        }
      };
    return EndpointServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static EndpointServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<EndpointServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<EndpointServiceFutureStub>() {
        @java.lang.Override
        public EndpointServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new EndpointServiceFutureStub(channel, callOptions);
        }
      };
    return EndpointServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * EndpointService manages endpoints, the models attached to them and their tags.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * CreateGatewayEndpoint stores an endpoint with at least one PRIMARY model under a new id.
     * Errors: INVALID_ARGUMENT (a name, a weight, an order or a number of attempts outside its limits; no PRIMARY
     * model; PRIMARY weights that sum to 0; a request_id that was used with another content); NOT_FOUND (a model
     * definition); ALREADY_EXISTS (the name is taken, or one definition is linked twice in the same way).
     * </pre>
     */
    default void createGatewayEndpoint(llmgateway.v1.CreateGatewayEndpointRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.CreateGatewayEndpointResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCreateGatewayEndpointMethod(), responseObserver);
    }

    /**
     * <pre>
     * GetGatewayEndpoint reads one endpoint with its models and tags.
     * Errors: INVALID_ARGUMENT (not exactly one of endpoint_id and name); NOT_FOUND.
     * </pre>
     */
    default void getGatewayEndpoint(llmgateway.v1.GetGatewayEndpointRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.GetGatewayEndpointResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetGatewayEndpointMethod(), responseObserver);
    }

    /**
     * <pre>
     * UpdateGatewayEndpoint changes the named fields of an endpoint. New model_configs replace all mappings.
     * Errors: INVALID_ARGUMENT (as in CreateGatewayEndpoint; an unknown update_mask path; clearing a required field; a
     * request_id that was used with another content); NOT_FOUND (the endpoint or a model definition); ALREADY_EXISTS
     * (the new name is taken, or one definition is linked twice in the same way); ABORTED (the etag is not the current
     * one).
     * </pre>
     */
    default void updateGatewayEndpoint(llmgateway.v1.UpdateGatewayEndpointRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.UpdateGatewayEndpointResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getUpdateGatewayEndpointMethod(), responseObserver);
    }

    /**
     * <pre>
     * DeleteGatewayEndpoint removes an endpoint with its mappings, bindings, tags and ENDPOINT budgets.
     * Errors: INVALID_ARGUMENT (no endpoint_id; a request_id that was used with another content); NOT_FOUND; ABORTED
     * (the etag is not the current one).
     * </pre>
     */
    default void deleteGatewayEndpoint(llmgateway.v1.DeleteGatewayEndpointRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.DeleteGatewayEndpointResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDeleteGatewayEndpointMethod(), responseObserver);
    }

    /**
     * <pre>
     * ListGatewayEndpoints lists endpoints in order of creation, then of id.
     * Every page shows the list as it was when its first page was read.
     * Errors: INVALID_ARGUMENT (a page_size or page_token that is not valid); ABORTED (the list began more than 24
     * hours ago, and was changed since).
     * </pre>
     */
    default void listGatewayEndpoints(llmgateway.v1.ListGatewayEndpointsRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.ListGatewayEndpointsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListGatewayEndpointsMethod(), responseObserver);
    }

    /**
     * <pre>
     * AttachModelToGatewayEndpoint adds one model to an endpoint. The first FALLBACK model sets the fallback strategy to
     * SEQUENTIAL if none is set.
     * Errors: INVALID_ARGUMENT (a config outside its limits; a request_id that was used with another content);
     * NOT_FOUND (the endpoint or the model definition); ALREADY_EXISTS (that definition is linked in the same way);
     * ABORTED (the etag is not the current one).
     * </pre>
     */
    default void attachModelToGatewayEndpoint(llmgateway.v1.AttachModelToGatewayEndpointRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.AttachModelToGatewayEndpointResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getAttachModelToGatewayEndpointMethod(), responseObserver);
    }

    /**
     * <pre>
     * DetachModelFromGatewayEndpoint removes every mapping of one model definition from an endpoint.
     * Errors: INVALID_ARGUMENT (a missing field; a request_id that was used with another content); NOT_FOUND (the
     * endpoint, or the definition is not attached to it); FAILED_PRECONDITION (no PRIMARY model with a weight would be
     * left); ABORTED (the etag is not the current one).
     * </pre>
     */
    default void detachModelFromGatewayEndpoint(llmgateway.v1.DetachModelFromGatewayEndpointRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.DetachModelFromGatewayEndpointResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDetachModelFromGatewayEndpointMethod(), responseObserver);
    }

    /**
     * <pre>
     * SetGatewayEndpointTag sets one tag of an endpoint, replacing its value if the key exists.
     * Errors: INVALID_ARGUMENT (a key or value outside its limits; a request_id that was used with another content);
     * NOT_FOUND (the endpoint); ABORTED (the etag is not the current one).
     * </pre>
     */
    default void setGatewayEndpointTag(llmgateway.v1.SetGatewayEndpointTagRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.SetGatewayEndpointTagResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getSetGatewayEndpointTagMethod(), responseObserver);
    }

    /**
     * <pre>
     * DeleteGatewayEndpointTag removes one tag of an endpoint. A key that does not exist is no error.
     * Errors: INVALID_ARGUMENT (a missing field; a request_id that was used with another content); NOT_FOUND (the
     * endpoint); ABORTED (the etag is not the current one).
     * </pre>
     */
    default void deleteGatewayEndpointTag(llmgateway.v1.DeleteGatewayEndpointTagRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.DeleteGatewayEndpointTagResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDeleteGatewayEndpointTagMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service EndpointService.
   * <pre>
   * EndpointService manages endpoints, the models attached to them and their tags.
   * </pre>
   */
  public static abstract class EndpointServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return EndpointServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service EndpointService.
   * <pre>
   * EndpointService manages endpoints, the models attached to them and their tags.
   * </pre>
   */
  public static final class EndpointServiceStub
      extends io.grpc.stub.AbstractAsyncStub<EndpointServiceStub> {
    private EndpointServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected EndpointServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new EndpointServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * CreateGatewayEndpoint stores an endpoint with at least one PRIMARY model under a new id.
     * Errors: INVALID_ARGUMENT (a name, a weight, an order or a number of attempts outside its limits; no PRIMARY
     * model; PRIMARY weights that sum to 0; a request_id that was used with another content); NOT_FOUND (a model
     * definition); ALREADY_EXISTS (the name is taken, or one definition is linked twice in the same way).
     * </pre>
     */
    public void createGatewayEndpoint(llmgateway.v1.CreateGatewayEndpointRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.CreateGatewayEndpointResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCreateGatewayEndpointMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * GetGatewayEndpoint reads one endpoint with its models and tags.
     * Errors: INVALID_ARGUMENT (not exactly one of endpoint_id and name); NOT_FOUND.
     * </pre>
     */
    public void getGatewayEndpoint(llmgateway.v1.GetGatewayEndpointRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.GetGatewayEndpointResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetGatewayEndpointMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * UpdateGatewayEndpoint changes the named fields of an endpoint. New model_configs replace all mappings.
     * Errors: INVALID_ARGUMENT (as in CreateGatewayEndpoint; an unknown update_mask path; clearing a required field; a
     * request_id that was used with another content); NOT_FOUND (the endpoint or a model definition); ALREADY_EXISTS
     * (the new name is taken, or one definition is linked twice in the same way); ABORTED (the etag is not the current
     * one).
     * </pre>
     */
    public void updateGatewayEndpoint(llmgateway.v1.UpdateGatewayEndpointRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.UpdateGatewayEndpointResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getUpdateGatewayEndpointMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * DeleteGatewayEndpoint removes an endpoint with its mappings, bindings, tags and ENDPOINT budgets.
     * Errors: INVALID_ARGUMENT (no endpoint_id; a request_id that was used with another content); NOT_FOUND; ABORTED
     * (the etag is not the current one).
     * </pre>
     */
    public void deleteGatewayEndpoint(llmgateway.v1.DeleteGatewayEndpointRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.DeleteGatewayEndpointResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDeleteGatewayEndpointMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * ListGatewayEndpoints lists endpoints in order of creation, then of id.
     * Every page shows the list as it was when its first page was read.
     * Errors: INVALID_ARGUMENT (a page_size or page_token that is not valid); ABORTED (the list began more than 24
     * hours ago, and was changed since).
     * </pre>
     */
    public void listGatewayEndpoints(llmgateway.v1.ListGatewayEndpointsRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.ListGatewayEndpointsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListGatewayEndpointsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * AttachModelToGatewayEndpoint adds one model to an endpoint. The first FALLBACK model sets the fallback strategy to
     * SEQUENTIAL if none is set.
     * Errors: INVALID_ARGUMENT (a config outside its limits; a request_id that was used with another content);
     * NOT_FOUND (the endpoint or the model definition); ALREADY_EXISTS (that definition is linked in the same way);
     * ABORTED (the etag is not the current one).
     * </pre>
     */
    public void attachModelToGatewayEndpoint(llmgateway.v1.AttachModelToGatewayEndpointRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.AttachModelToGatewayEndpointResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getAttachModelToGatewayEndpointMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * DetachModelFromGatewayEndpoint removes every mapping of one model definition from an endpoint.
     * Errors: INVALID_ARGUMENT (a missing field; a request_id that was used with another content); NOT_FOUND (the
     * endpoint, or the definition is not attached to it); FAILED_PRECONDITION (no PRIMARY model with a weight would be
     * left); ABORTED (the etag is not the current one).
     * </pre>
     */
    public void detachModelFromGatewayEndpoint(llmgateway.v1.DetachModelFromGatewayEndpointRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.DetachModelFromGatewayEndpointResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDetachModelFromGatewayEndpointMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * SetGatewayEndpointTag sets one tag of an endpoint, replacing its value if the key exists.
     * Errors: INVALID_ARGUMENT (a key or value outside its limits; a request_id that was used with another content);
     * NOT_FOUND (the endpoint); ABORTED (the etag is not the current one).
     * </pre>
     */
    public void setGatewayEndpointTag(llmgateway.v1.SetGatewayEndpointTagRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.SetGatewayEndpointTagResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getSetGatewayEndpointTagMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * DeleteGatewayEndpointTag removes one tag of an endpoint. A key that does not exist is no error.
     * Errors: INVALID_ARGUMENT (a missing field; a request_id that was used with another content); NOT_FOUND (the
     * endpoint); ABORTED (the etag is not the current one).
     * </pre>
     */
    public void deleteGatewayEndpointTag(llmgateway.v1.DeleteGatewayEndpointTagRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.DeleteGatewayEndpointTagResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDeleteGatewayEndpointTagMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service EndpointService.
   * <pre>
   * EndpointService manages endpoints, the models attached to them and their tags.
   * </pre>
   */
  public static final class EndpointServiceBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<EndpointServiceBlockingV2Stub> {
    private EndpointServiceBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected EndpointServiceBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new EndpointServiceBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * CreateGatewayEndpoint stores an endpoint with at least one PRIMARY model under a new id.
     * Errors: INVALID_ARGUMENT (a name, a weight, an order or a number of attempts outside its limits; no PRIMARY
     * model; PRIMARY weights that sum to 0; a request_id that was used with another content); NOT_FOUND (a model
     * definition); ALREADY_EXISTS (the name is taken, or one definition is linked twice in the same way).
     * </pre>
     */
    public llmgateway.v1.CreateGatewayEndpointResponse createGatewayEndpoint(llmgateway.v1.CreateGatewayEndpointRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getCreateGatewayEndpointMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * GetGatewayEndpoint reads one endpoint with its models and tags.
     * Errors: INVALID_ARGUMENT (not exactly one of endpoint_id and name); NOT_FOUND.
     * </pre>
     */
    public llmgateway.v1.GetGatewayEndpointResponse getGatewayEndpoint(llmgateway.v1.GetGatewayEndpointRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetGatewayEndpointMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * UpdateGatewayEndpoint changes the named fields of an endpoint. New model_configs replace all mappings.
     * Errors: INVALID_ARGUMENT (as in CreateGatewayEndpoint; an unknown update_mask path; clearing a required field; a
     * request_id that was used with another content); NOT_FOUND (the endpoint or a model definition); ALREADY_EXISTS
     * (the new name is taken, or one definition is linked twice in the same way); ABORTED (the etag is not the current
     * one).
     * </pre>
     */
    public llmgateway.v1.UpdateGatewayEndpointResponse updateGatewayEndpoint(llmgateway.v1.UpdateGatewayEndpointRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getUpdateGatewayEndpointMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * DeleteGatewayEndpoint removes an endpoint with its mappings, bindings, tags and ENDPOINT budgets.
     * Errors: INVALID_ARGUMENT (no endpoint_id; a request_id that was used with another content); NOT_FOUND; ABORTED
     * (the etag is not the current one).
     * </pre>
     */
    public llmgateway.v1.DeleteGatewayEndpointResponse deleteGatewayEndpoint(llmgateway.v1.DeleteGatewayEndpointRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getDeleteGatewayEndpointMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * ListGatewayEndpoints lists endpoints in order of creation, then of id.
     * Every page shows the list as it was when its first page was read.
     * Errors: INVALID_ARGUMENT (a page_size or page_token that is not valid); ABORTED (the list began more than 24
     * hours ago, and was changed since).
     * </pre>
     */
    public llmgateway.v1.ListGatewayEndpointsResponse listGatewayEndpoints(llmgateway.v1.ListGatewayEndpointsRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListGatewayEndpointsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * AttachModelToGatewayEndpoint adds one model to an endpoint. The first FALLBACK model sets the fallback strategy to
     * SEQUENTIAL if none is set.
     * Errors: INVALID_ARGUMENT (a config outside its limits; a request_id that was used with another content);
     * NOT_FOUND (the endpoint or the model definition); ALREADY_EXISTS (that definition is linked in the same way);
     * ABORTED (the etag is not the current one).
     * </pre>
     */
    public llmgateway.v1.AttachModelToGatewayEndpointResponse attachModelToGatewayEndpoint(llmgateway.v1.AttachModelToGatewayEndpointRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getAttachModelToGatewayEndpointMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * DetachModelFromGatewayEndpoint removes every mapping of one model definition from an endpoint.
     * Errors: INVALID_ARGUMENT (a missing field; a request_id that was used with another content); NOT_FOUND (the
     * endpoint, or the definition is not attached to it); FAILED_PRECONDITION (no PRIMARY model with a weight would be
     * left); ABORTED (the etag is not the current one).
     * </pre>
     */
    public llmgateway.v1.DetachModelFromGatewayEndpointResponse detachModelFromGatewayEndpoint(llmgateway.v1.DetachModelFromGatewayEndpointRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getDetachModelFromGatewayEndpointMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * SetGatewayEndpointTag sets one tag of an endpoint, replacing its value if the key exists.
     * Errors: INVALID_ARGUMENT (a key or value outside its limits; a request_id that was used with another content);
     * NOT_FOUND (the endpoint); ABORTED (the etag is not the current one).
     * </pre>
     */
    public llmgateway.v1.SetGatewayEndpointTagResponse setGatewayEndpointTag(llmgateway.v1.SetGatewayEndpointTagRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getSetGatewayEndpointTagMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * DeleteGatewayEndpointTag removes one tag of an endpoint. A key that does not exist is no error.
     * Errors: INVALID_ARGUMENT (a missing field; a request_id that was used with another content); NOT_FOUND (the
     * endpoint); ABORTED (the etag is not the current one).
     * </pre>
     */
    public llmgateway.v1.DeleteGatewayEndpointTagResponse deleteGatewayEndpointTag(llmgateway.v1.DeleteGatewayEndpointTagRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getDeleteGatewayEndpointTagMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service EndpointService.
   * <pre>
   * EndpointService manages endpoints, the models attached to them and their tags.
   * </pre>
   */
  public static final class EndpointServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<EndpointServiceBlockingStub> {
    private EndpointServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected EndpointServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new EndpointServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * CreateGatewayEndpoint stores an endpoint with at least one PRIMARY model under a new id.
     * Errors: INVALID_ARGUMENT (a name, a weight, an order or a number of attempts outside its limits; no PRIMARY
     * model; PRIMARY weights that sum to 0; a request_id that was used with another content); NOT_FOUND (a model
     * definition); ALREADY_EXISTS (the name is taken, or one definition is linked twice in the same way).
     * </pre>
     */
    public llmgateway.v1.CreateGatewayEndpointResponse createGatewayEndpoint(llmgateway.v1.CreateGatewayEndpointRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCreateGatewayEndpointMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * GetGatewayEndpoint reads one endpoint with its models and tags.
     * Errors: INVALID_ARGUMENT (not exactly one of endpoint_id and name); NOT_FOUND.
     * </pre>
     */
    public llmgateway.v1.GetGatewayEndpointResponse getGatewayEndpoint(llmgateway.v1.GetGatewayEndpointRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetGatewayEndpointMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * UpdateGatewayEndpoint changes the named fields of an endpoint. New model_configs replace all mappings.
     * Errors: INVALID_ARGUMENT (as in CreateGatewayEndpoint; an unknown update_mask path; clearing a required field; a
     * request_id that was used with another content); NOT_FOUND (the endpoint or a model definition); ALREADY_EXISTS
     * (the new name is taken, or one definition is linked twice in the same way); ABORTED (the etag is not the current
     * one).
     * </pre>
     */
    public llmgateway.v1.UpdateGatewayEndpointResponse updateGatewayEndpoint(llmgateway.v1.UpdateGatewayEndpointRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getUpdateGatewayEndpointMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * DeleteGatewayEndpoint removes an endpoint with its mappings, bindings, tags and ENDPOINT budgets.
     * Errors: INVALID_ARGUMENT (no endpoint_id; a request_id that was used with another content); NOT_FOUND; ABORTED
     * (the etag is not the current one).
     * </pre>
     */
    public llmgateway.v1.DeleteGatewayEndpointResponse deleteGatewayEndpoint(llmgateway.v1.DeleteGatewayEndpointRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDeleteGatewayEndpointMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * ListGatewayEndpoints lists endpoints in order of creation, then of id.
     * Every page shows the list as it was when its first page was read.
     * Errors: INVALID_ARGUMENT (a page_size or page_token that is not valid); ABORTED (the list began more than 24
     * hours ago, and was changed since).
     * </pre>
     */
    public llmgateway.v1.ListGatewayEndpointsResponse listGatewayEndpoints(llmgateway.v1.ListGatewayEndpointsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListGatewayEndpointsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * AttachModelToGatewayEndpoint adds one model to an endpoint. The first FALLBACK model sets the fallback strategy to
     * SEQUENTIAL if none is set.
     * Errors: INVALID_ARGUMENT (a config outside its limits; a request_id that was used with another content);
     * NOT_FOUND (the endpoint or the model definition); ALREADY_EXISTS (that definition is linked in the same way);
     * ABORTED (the etag is not the current one).
     * </pre>
     */
    public llmgateway.v1.AttachModelToGatewayEndpointResponse attachModelToGatewayEndpoint(llmgateway.v1.AttachModelToGatewayEndpointRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getAttachModelToGatewayEndpointMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * DetachModelFromGatewayEndpoint removes every mapping of one model definition from an endpoint.
     * Errors: INVALID_ARGUMENT (a missing field; a request_id that was used with another content); NOT_FOUND (the
     * endpoint, or the definition is not attached to it); FAILED_PRECONDITION (no PRIMARY model with a weight would be
     * left); ABORTED (the etag is not the current one).
     * </pre>
     */
    public llmgateway.v1.DetachModelFromGatewayEndpointResponse detachModelFromGatewayEndpoint(llmgateway.v1.DetachModelFromGatewayEndpointRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDetachModelFromGatewayEndpointMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * SetGatewayEndpointTag sets one tag of an endpoint, replacing its value if the key exists.
     * Errors: INVALID_ARGUMENT (a key or value outside its limits; a request_id that was used with another content);
     * NOT_FOUND (the endpoint); ABORTED (the etag is not the current one).
     * </pre>
     */
    public llmgateway.v1.SetGatewayEndpointTagResponse setGatewayEndpointTag(llmgateway.v1.SetGatewayEndpointTagRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getSetGatewayEndpointTagMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * DeleteGatewayEndpointTag removes one tag of an endpoint. A key that does not exist is no error.
     * Errors: INVALID_ARGUMENT (a missing field; a request_id that was used with another content); NOT_FOUND (the
     * endpoint); ABORTED (the etag is not the current one).
     * </pre>
     */
    public llmgateway.v1.DeleteGatewayEndpointTagResponse deleteGatewayEndpointTag(llmgateway.v1.DeleteGatewayEndpointTagRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDeleteGatewayEndpointTagMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service EndpointService.
   * <pre>
   * EndpointService manages endpoints, the models attached to them and their tags.
   * </pre>
   */
  public static final class EndpointServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<EndpointServiceFutureStub> {
    private EndpointServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected EndpointServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new EndpointServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * CreateGatewayEndpoint stores an endpoint with at least one PRIMARY model under a new id.
     * Errors: INVALID_ARGUMENT (a name, a weight, an order or a number of attempts outside its limits; no PRIMARY
     * model; PRIMARY weights that sum to 0; a request_id that was used with another content); NOT_FOUND (a model
     * definition); ALREADY_EXISTS (the name is taken, or one definition is linked twice in the same way).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.CreateGatewayEndpointResponse> createGatewayEndpoint(
        llmgateway.v1.CreateGatewayEndpointRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCreateGatewayEndpointMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * GetGatewayEndpoint reads one endpoint with its models and tags.
     * Errors: INVALID_ARGUMENT (not exactly one of endpoint_id and name); NOT_FOUND.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.GetGatewayEndpointResponse> getGatewayEndpoint(
        llmgateway.v1.GetGatewayEndpointRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetGatewayEndpointMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * UpdateGatewayEndpoint changes the named fields of an endpoint. New model_configs replace all mappings.
     * Errors: INVALID_ARGUMENT (as in CreateGatewayEndpoint; an unknown update_mask path; clearing a required field; a
     * request_id that was used with another content); NOT_FOUND (the endpoint or a model definition); ALREADY_EXISTS
     * (the new name is taken, or one definition is linked twice in the same way); ABORTED (the etag is not the current
     * one).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.UpdateGatewayEndpointResponse> updateGatewayEndpoint(
        llmgateway.v1.UpdateGatewayEndpointRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getUpdateGatewayEndpointMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * DeleteGatewayEndpoint removes an endpoint with its mappings, bindings, tags and ENDPOINT budgets.
     * Errors: INVALID_ARGUMENT (no endpoint_id; a request_id that was used with another content); NOT_FOUND; ABORTED
     * (the etag is not the current one).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.DeleteGatewayEndpointResponse> deleteGatewayEndpoint(
        llmgateway.v1.DeleteGatewayEndpointRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDeleteGatewayEndpointMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * ListGatewayEndpoints lists endpoints in order of creation, then of id.
     * Every page shows the list as it was when its first page was read.
     * Errors: INVALID_ARGUMENT (a page_size or page_token that is not valid); ABORTED (the list began more than 24
     * hours ago, and was changed since).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.ListGatewayEndpointsResponse> listGatewayEndpoints(
        llmgateway.v1.ListGatewayEndpointsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListGatewayEndpointsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * AttachModelToGatewayEndpoint adds one model to an endpoint. The first FALLBACK model sets the fallback strategy to
     * SEQUENTIAL if none is set.
     * Errors: INVALID_ARGUMENT (a config outside its limits; a request_id that was used with another content);
     * NOT_FOUND (the endpoint or the model definition); ALREADY_EXISTS (that definition is linked in the same way);
     * ABORTED (the etag is not the current one).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.AttachModelToGatewayEndpointResponse> attachModelToGatewayEndpoint(
        llmgateway.v1.AttachModelToGatewayEndpointRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getAttachModelToGatewayEndpointMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * DetachModelFromGatewayEndpoint removes every mapping of one model definition from an endpoint.
     * Errors: INVALID_ARGUMENT (a missing field; a request_id that was used with another content); NOT_FOUND (the
     * endpoint, or the definition is not attached to it); FAILED_PRECONDITION (no PRIMARY model with a weight would be
     * left); ABORTED (the etag is not the current one).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.DetachModelFromGatewayEndpointResponse> detachModelFromGatewayEndpoint(
        llmgateway.v1.DetachModelFromGatewayEndpointRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDetachModelFromGatewayEndpointMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * SetGatewayEndpointTag sets one tag of an endpoint, replacing its value if the key exists.
     * Errors: INVALID_ARGUMENT (a key or value outside its limits; a request_id that was used with another content);
     * NOT_FOUND (the endpoint); ABORTED (the etag is not the current one).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.SetGatewayEndpointTagResponse> setGatewayEndpointTag(
        llmgateway.v1.SetGatewayEndpointTagRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getSetGatewayEndpointTagMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * DeleteGatewayEndpointTag removes one tag of an endpoint. A key that does not exist is no error.
     * Errors: INVALID_ARGUMENT (a missing field; a request_id that was used with another content); NOT_FOUND (the
     * endpoint); ABORTED (the etag is not the current one).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.DeleteGatewayEndpointTagResponse> deleteGatewayEndpointTag(
        llmgateway.v1.DeleteGatewayEndpointTagRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDeleteGatewayEndpointTagMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_CREATE_GATEWAY_ENDPOINT = 0;
  private static final int METHODID_GET_GATEWAY_ENDPOINT = 1;
  private static final int METHODID_UPDATE_GATEWAY_ENDPOINT = 2;
  private static final int METHODID_DELETE_GATEWAY_ENDPOINT = 3;
  private static final int METHODID_LIST_GATEWAY_ENDPOINTS = 4;
  private static final int METHODID_ATTACH_MODEL_TO_GATEWAY_ENDPOINT = 5;
  private static final int METHODID_DETACH_MODEL_FROM_GATEWAY_ENDPOINT = 6;
  private static final int METHODID_SET_GATEWAY_ENDPOINT_TAG = 7;
  private static final int METHODID_DELETE_GATEWAY_ENDPOINT_TAG = 8;

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
        case METHODID_CREATE_GATEWAY_ENDPOINT:
          serviceImpl.createGatewayEndpoint((llmgateway.v1.CreateGatewayEndpointRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.CreateGatewayEndpointResponse>) responseObserver);
          break;
        case METHODID_GET_GATEWAY_ENDPOINT:
          serviceImpl.getGatewayEndpoint((llmgateway.v1.GetGatewayEndpointRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.GetGatewayEndpointResponse>) responseObserver);
          break;
        case METHODID_UPDATE_GATEWAY_ENDPOINT:
          serviceImpl.updateGatewayEndpoint((llmgateway.v1.UpdateGatewayEndpointRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.UpdateGatewayEndpointResponse>) responseObserver);
          break;
        case METHODID_DELETE_GATEWAY_ENDPOINT:
          serviceImpl.deleteGatewayEndpoint((llmgateway.v1.DeleteGatewayEndpointRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.DeleteGatewayEndpointResponse>) responseObserver);
          break;
        case METHODID_LIST_GATEWAY_ENDPOINTS:
          serviceImpl.listGatewayEndpoints((llmgateway.v1.ListGatewayEndpointsRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.ListGatewayEndpointsResponse>) responseObserver);
          break;
        case METHODID_ATTACH_MODEL_TO_GATEWAY_ENDPOINT:
          serviceImpl.attachModelToGatewayEndpoint((llmgateway.v1.AttachModelToGatewayEndpointRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.AttachModelToGatewayEndpointResponse>) responseObserver);
          break;
        case METHODID_DETACH_MODEL_FROM_GATEWAY_ENDPOINT:
          serviceImpl.detachModelFromGatewayEndpoint((llmgateway.v1.DetachModelFromGatewayEndpointRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.DetachModelFromGatewayEndpointResponse>) responseObserver);
          break;
        case METHODID_SET_GATEWAY_ENDPOINT_TAG:
          serviceImpl.setGatewayEndpointTag((llmgateway.v1.SetGatewayEndpointTagRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.SetGatewayEndpointTagResponse>) responseObserver);
          break;
        case METHODID_DELETE_GATEWAY_ENDPOINT_TAG:
          serviceImpl.deleteGatewayEndpointTag((llmgateway.v1.DeleteGatewayEndpointTagRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.DeleteGatewayEndpointTagResponse>) responseObserver);
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
          getCreateGatewayEndpointMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.CreateGatewayEndpointRequest,
              llmgateway.v1.CreateGatewayEndpointResponse>(
                service, METHODID_CREATE_GATEWAY_ENDPOINT)))
        .addMethod(
          getGetGatewayEndpointMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.GetGatewayEndpointRequest,
              llmgateway.v1.GetGatewayEndpointResponse>(
                service, METHODID_GET_GATEWAY_ENDPOINT)))
        .addMethod(
          getUpdateGatewayEndpointMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.UpdateGatewayEndpointRequest,
              llmgateway.v1.UpdateGatewayEndpointResponse>(
                service, METHODID_UPDATE_GATEWAY_ENDPOINT)))
        .addMethod(
          getDeleteGatewayEndpointMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.DeleteGatewayEndpointRequest,
              llmgateway.v1.DeleteGatewayEndpointResponse>(
                service, METHODID_DELETE_GATEWAY_ENDPOINT)))
        .addMethod(
          getListGatewayEndpointsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.ListGatewayEndpointsRequest,
              llmgateway.v1.ListGatewayEndpointsResponse>(
                service, METHODID_LIST_GATEWAY_ENDPOINTS)))
        .addMethod(
          getAttachModelToGatewayEndpointMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.AttachModelToGatewayEndpointRequest,
              llmgateway.v1.AttachModelToGatewayEndpointResponse>(
                service, METHODID_ATTACH_MODEL_TO_GATEWAY_ENDPOINT)))
        .addMethod(
          getDetachModelFromGatewayEndpointMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.DetachModelFromGatewayEndpointRequest,
              llmgateway.v1.DetachModelFromGatewayEndpointResponse>(
                service, METHODID_DETACH_MODEL_FROM_GATEWAY_ENDPOINT)))
        .addMethod(
          getSetGatewayEndpointTagMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.SetGatewayEndpointTagRequest,
              llmgateway.v1.SetGatewayEndpointTagResponse>(
                service, METHODID_SET_GATEWAY_ENDPOINT_TAG)))
        .addMethod(
          getDeleteGatewayEndpointTagMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.DeleteGatewayEndpointTagRequest,
              llmgateway.v1.DeleteGatewayEndpointTagResponse>(
                service, METHODID_DELETE_GATEWAY_ENDPOINT_TAG)))
        .build();
  }

  private static abstract class EndpointServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    EndpointServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return llmgateway.v1.Endpoint.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("EndpointService");
    }
  }

  private static final class EndpointServiceFileDescriptorSupplier
      extends EndpointServiceBaseDescriptorSupplier {
    EndpointServiceFileDescriptorSupplier() {}
  }

  private static final class EndpointServiceMethodDescriptorSupplier
      extends EndpointServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    EndpointServiceMethodDescriptorSupplier(java.lang.String methodName) {
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
      synchronized (EndpointServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new EndpointServiceFileDescriptorSupplier())
              .addMethod(getCreateGatewayEndpointMethod())
              .addMethod(getGetGatewayEndpointMethod())
              .addMethod(getUpdateGatewayEndpointMethod())
              .addMethod(getDeleteGatewayEndpointMethod())
              .addMethod(getListGatewayEndpointsMethod())
              .addMethod(getAttachModelToGatewayEndpointMethod())
              .addMethod(getDetachModelFromGatewayEndpointMethod())
              .addMethod(getSetGatewayEndpointTagMethod())
              .addMethod(getDeleteGatewayEndpointTagMethod())
              .build();
        }
      }
    }
    return result;
  }
}
