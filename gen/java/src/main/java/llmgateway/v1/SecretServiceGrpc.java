package llmgateway.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * SecretService manages the credentials that model definitions use.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class SecretServiceGrpc {

  private SecretServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "llm_gateway.v1.SecretService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.CreateGatewaySecretRequest,
      llmgateway.v1.CreateGatewaySecretResponse> getCreateGatewaySecretMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CreateGatewaySecret",
      requestType = llmgateway.v1.CreateGatewaySecretRequest.class,
      responseType = llmgateway.v1.CreateGatewaySecretResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.CreateGatewaySecretRequest,
      llmgateway.v1.CreateGatewaySecretResponse> getCreateGatewaySecretMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.CreateGatewaySecretRequest, llmgateway.v1.CreateGatewaySecretResponse> getCreateGatewaySecretMethod;
    if ((getCreateGatewaySecretMethod = SecretServiceGrpc.getCreateGatewaySecretMethod) == null) {
      synchronized (SecretServiceGrpc.class) {
        if ((getCreateGatewaySecretMethod = SecretServiceGrpc.getCreateGatewaySecretMethod) == null) {
          SecretServiceGrpc.getCreateGatewaySecretMethod = getCreateGatewaySecretMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.CreateGatewaySecretRequest, llmgateway.v1.CreateGatewaySecretResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CreateGatewaySecret"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.CreateGatewaySecretRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.CreateGatewaySecretResponse.getDefaultInstance()))
              .setSchemaDescriptor(new SecretServiceMethodDescriptorSupplier("CreateGatewaySecret"))
              .build();
        }
      }
    }
    return getCreateGatewaySecretMethod;
  }

  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.GetGatewaySecretInfoRequest,
      llmgateway.v1.GetGatewaySecretInfoResponse> getGetGatewaySecretInfoMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetGatewaySecretInfo",
      requestType = llmgateway.v1.GetGatewaySecretInfoRequest.class,
      responseType = llmgateway.v1.GetGatewaySecretInfoResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.GetGatewaySecretInfoRequest,
      llmgateway.v1.GetGatewaySecretInfoResponse> getGetGatewaySecretInfoMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.GetGatewaySecretInfoRequest, llmgateway.v1.GetGatewaySecretInfoResponse> getGetGatewaySecretInfoMethod;
    if ((getGetGatewaySecretInfoMethod = SecretServiceGrpc.getGetGatewaySecretInfoMethod) == null) {
      synchronized (SecretServiceGrpc.class) {
        if ((getGetGatewaySecretInfoMethod = SecretServiceGrpc.getGetGatewaySecretInfoMethod) == null) {
          SecretServiceGrpc.getGetGatewaySecretInfoMethod = getGetGatewaySecretInfoMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.GetGatewaySecretInfoRequest, llmgateway.v1.GetGatewaySecretInfoResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetGatewaySecretInfo"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.GetGatewaySecretInfoRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.GetGatewaySecretInfoResponse.getDefaultInstance()))
              .setSchemaDescriptor(new SecretServiceMethodDescriptorSupplier("GetGatewaySecretInfo"))
              .build();
        }
      }
    }
    return getGetGatewaySecretInfoMethod;
  }

  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.UpdateGatewaySecretRequest,
      llmgateway.v1.UpdateGatewaySecretResponse> getUpdateGatewaySecretMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "UpdateGatewaySecret",
      requestType = llmgateway.v1.UpdateGatewaySecretRequest.class,
      responseType = llmgateway.v1.UpdateGatewaySecretResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.UpdateGatewaySecretRequest,
      llmgateway.v1.UpdateGatewaySecretResponse> getUpdateGatewaySecretMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.UpdateGatewaySecretRequest, llmgateway.v1.UpdateGatewaySecretResponse> getUpdateGatewaySecretMethod;
    if ((getUpdateGatewaySecretMethod = SecretServiceGrpc.getUpdateGatewaySecretMethod) == null) {
      synchronized (SecretServiceGrpc.class) {
        if ((getUpdateGatewaySecretMethod = SecretServiceGrpc.getUpdateGatewaySecretMethod) == null) {
          SecretServiceGrpc.getUpdateGatewaySecretMethod = getUpdateGatewaySecretMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.UpdateGatewaySecretRequest, llmgateway.v1.UpdateGatewaySecretResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "UpdateGatewaySecret"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.UpdateGatewaySecretRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.UpdateGatewaySecretResponse.getDefaultInstance()))
              .setSchemaDescriptor(new SecretServiceMethodDescriptorSupplier("UpdateGatewaySecret"))
              .build();
        }
      }
    }
    return getUpdateGatewaySecretMethod;
  }

  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.DeleteGatewaySecretRequest,
      llmgateway.v1.DeleteGatewaySecretResponse> getDeleteGatewaySecretMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "DeleteGatewaySecret",
      requestType = llmgateway.v1.DeleteGatewaySecretRequest.class,
      responseType = llmgateway.v1.DeleteGatewaySecretResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.DeleteGatewaySecretRequest,
      llmgateway.v1.DeleteGatewaySecretResponse> getDeleteGatewaySecretMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.DeleteGatewaySecretRequest, llmgateway.v1.DeleteGatewaySecretResponse> getDeleteGatewaySecretMethod;
    if ((getDeleteGatewaySecretMethod = SecretServiceGrpc.getDeleteGatewaySecretMethod) == null) {
      synchronized (SecretServiceGrpc.class) {
        if ((getDeleteGatewaySecretMethod = SecretServiceGrpc.getDeleteGatewaySecretMethod) == null) {
          SecretServiceGrpc.getDeleteGatewaySecretMethod = getDeleteGatewaySecretMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.DeleteGatewaySecretRequest, llmgateway.v1.DeleteGatewaySecretResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "DeleteGatewaySecret"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.DeleteGatewaySecretRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.DeleteGatewaySecretResponse.getDefaultInstance()))
              .setSchemaDescriptor(new SecretServiceMethodDescriptorSupplier("DeleteGatewaySecret"))
              .build();
        }
      }
    }
    return getDeleteGatewaySecretMethod;
  }

  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.ListGatewaySecretInfosRequest,
      llmgateway.v1.ListGatewaySecretInfosResponse> getListGatewaySecretInfosMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListGatewaySecretInfos",
      requestType = llmgateway.v1.ListGatewaySecretInfosRequest.class,
      responseType = llmgateway.v1.ListGatewaySecretInfosResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.ListGatewaySecretInfosRequest,
      llmgateway.v1.ListGatewaySecretInfosResponse> getListGatewaySecretInfosMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.ListGatewaySecretInfosRequest, llmgateway.v1.ListGatewaySecretInfosResponse> getListGatewaySecretInfosMethod;
    if ((getListGatewaySecretInfosMethod = SecretServiceGrpc.getListGatewaySecretInfosMethod) == null) {
      synchronized (SecretServiceGrpc.class) {
        if ((getListGatewaySecretInfosMethod = SecretServiceGrpc.getListGatewaySecretInfosMethod) == null) {
          SecretServiceGrpc.getListGatewaySecretInfosMethod = getListGatewaySecretInfosMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.ListGatewaySecretInfosRequest, llmgateway.v1.ListGatewaySecretInfosResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListGatewaySecretInfos"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.ListGatewaySecretInfosRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.ListGatewaySecretInfosResponse.getDefaultInstance()))
              .setSchemaDescriptor(new SecretServiceMethodDescriptorSupplier("ListGatewaySecretInfos"))
              .build();
        }
      }
    }
    return getListGatewaySecretInfosMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static SecretServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<SecretServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<SecretServiceStub>() {
        @java.lang.Override
        public SecretServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new SecretServiceStub(channel, callOptions);
        }
      };
    return SecretServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static SecretServiceBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<SecretServiceBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<SecretServiceBlockingV2Stub>() {
        @java.lang.Override
        public SecretServiceBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new SecretServiceBlockingV2Stub(channel, callOptions);
        }
      };
    return SecretServiceBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static SecretServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<SecretServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<SecretServiceBlockingStub>() {
        @java.lang.Override
        public SecretServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new SecretServiceBlockingStub(channel, callOptions);
        }
      };
    return SecretServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static SecretServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<SecretServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<SecretServiceFutureStub>() {
        @java.lang.Override
        public SecretServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new SecretServiceFutureStub(channel, callOptions);
        }
      };
    return SecretServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * SecretService manages the credentials that model definitions use.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * CreateGatewaySecret stores a credential, encrypted, under a new id.
     * Errors: INVALID_ARGUMENT (a name outside its limits, no secret value, an empty key or value, a reserved key, an
     * unsafe auth_config.api_base; a request_id that was used with another content); ALREADY_EXISTS (the name is
     * taken).
     * </pre>
     */
    default void createGatewaySecret(llmgateway.v1.CreateGatewaySecretRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.CreateGatewaySecretResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCreateGatewaySecretMethod(), responseObserver);
    }

    /**
     * <pre>
     * GetGatewaySecretInfo reads one secret's description, never its value.
     * Errors: INVALID_ARGUMENT (not exactly one of secret_id and secret_name); NOT_FOUND.
     * </pre>
     */
    default void getGatewaySecretInfo(llmgateway.v1.GetGatewaySecretInfoRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.GetGatewaySecretInfoResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetGatewaySecretInfoMethod(), responseObserver);
    }

    /**
     * <pre>
     * UpdateGatewaySecret replaces the value or the auth_config of a secret. Its id and name never change.
     * Errors: INVALID_ARGUMENT (as in CreateGatewaySecret; an unknown update_mask path; clearing a required field; a
     * request_id that was used with another content); NOT_FOUND; ABORTED (the etag is not the current one).
     * </pre>
     */
    default void updateGatewaySecret(llmgateway.v1.UpdateGatewaySecretRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.UpdateGatewaySecretResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getUpdateGatewaySecretMethod(), responseObserver);
    }

    /**
     * <pre>
     * DeleteGatewaySecret removes a secret. Model definitions that used it stay, without a secret.
     * Errors: INVALID_ARGUMENT (no secret_id; a request_id that was used with another content); NOT_FOUND; ABORTED (the
     * etag is not the current one).
     * </pre>
     */
    default void deleteGatewaySecret(llmgateway.v1.DeleteGatewaySecretRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.DeleteGatewaySecretResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDeleteGatewaySecretMethod(), responseObserver);
    }

    /**
     * <pre>
     * ListGatewaySecretInfos lists secrets in order of creation, then of id.
     * Every page shows the list as it was when its first page was read.
     * Errors: INVALID_ARGUMENT (a page_size or page_token that is not valid); ABORTED (the list began more than 24
     * hours ago, and was changed since).
     * </pre>
     */
    default void listGatewaySecretInfos(llmgateway.v1.ListGatewaySecretInfosRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.ListGatewaySecretInfosResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListGatewaySecretInfosMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service SecretService.
   * <pre>
   * SecretService manages the credentials that model definitions use.
   * </pre>
   */
  public static abstract class SecretServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return SecretServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service SecretService.
   * <pre>
   * SecretService manages the credentials that model definitions use.
   * </pre>
   */
  public static final class SecretServiceStub
      extends io.grpc.stub.AbstractAsyncStub<SecretServiceStub> {
    private SecretServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected SecretServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new SecretServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * CreateGatewaySecret stores a credential, encrypted, under a new id.
     * Errors: INVALID_ARGUMENT (a name outside its limits, no secret value, an empty key or value, a reserved key, an
     * unsafe auth_config.api_base; a request_id that was used with another content); ALREADY_EXISTS (the name is
     * taken).
     * </pre>
     */
    public void createGatewaySecret(llmgateway.v1.CreateGatewaySecretRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.CreateGatewaySecretResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCreateGatewaySecretMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * GetGatewaySecretInfo reads one secret's description, never its value.
     * Errors: INVALID_ARGUMENT (not exactly one of secret_id and secret_name); NOT_FOUND.
     * </pre>
     */
    public void getGatewaySecretInfo(llmgateway.v1.GetGatewaySecretInfoRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.GetGatewaySecretInfoResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetGatewaySecretInfoMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * UpdateGatewaySecret replaces the value or the auth_config of a secret. Its id and name never change.
     * Errors: INVALID_ARGUMENT (as in CreateGatewaySecret; an unknown update_mask path; clearing a required field; a
     * request_id that was used with another content); NOT_FOUND; ABORTED (the etag is not the current one).
     * </pre>
     */
    public void updateGatewaySecret(llmgateway.v1.UpdateGatewaySecretRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.UpdateGatewaySecretResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getUpdateGatewaySecretMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * DeleteGatewaySecret removes a secret. Model definitions that used it stay, without a secret.
     * Errors: INVALID_ARGUMENT (no secret_id; a request_id that was used with another content); NOT_FOUND; ABORTED (the
     * etag is not the current one).
     * </pre>
     */
    public void deleteGatewaySecret(llmgateway.v1.DeleteGatewaySecretRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.DeleteGatewaySecretResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDeleteGatewaySecretMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * ListGatewaySecretInfos lists secrets in order of creation, then of id.
     * Every page shows the list as it was when its first page was read.
     * Errors: INVALID_ARGUMENT (a page_size or page_token that is not valid); ABORTED (the list began more than 24
     * hours ago, and was changed since).
     * </pre>
     */
    public void listGatewaySecretInfos(llmgateway.v1.ListGatewaySecretInfosRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.ListGatewaySecretInfosResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListGatewaySecretInfosMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service SecretService.
   * <pre>
   * SecretService manages the credentials that model definitions use.
   * </pre>
   */
  public static final class SecretServiceBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<SecretServiceBlockingV2Stub> {
    private SecretServiceBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected SecretServiceBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new SecretServiceBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * CreateGatewaySecret stores a credential, encrypted, under a new id.
     * Errors: INVALID_ARGUMENT (a name outside its limits, no secret value, an empty key or value, a reserved key, an
     * unsafe auth_config.api_base; a request_id that was used with another content); ALREADY_EXISTS (the name is
     * taken).
     * </pre>
     */
    public llmgateway.v1.CreateGatewaySecretResponse createGatewaySecret(llmgateway.v1.CreateGatewaySecretRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getCreateGatewaySecretMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * GetGatewaySecretInfo reads one secret's description, never its value.
     * Errors: INVALID_ARGUMENT (not exactly one of secret_id and secret_name); NOT_FOUND.
     * </pre>
     */
    public llmgateway.v1.GetGatewaySecretInfoResponse getGatewaySecretInfo(llmgateway.v1.GetGatewaySecretInfoRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetGatewaySecretInfoMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * UpdateGatewaySecret replaces the value or the auth_config of a secret. Its id and name never change.
     * Errors: INVALID_ARGUMENT (as in CreateGatewaySecret; an unknown update_mask path; clearing a required field; a
     * request_id that was used with another content); NOT_FOUND; ABORTED (the etag is not the current one).
     * </pre>
     */
    public llmgateway.v1.UpdateGatewaySecretResponse updateGatewaySecret(llmgateway.v1.UpdateGatewaySecretRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getUpdateGatewaySecretMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * DeleteGatewaySecret removes a secret. Model definitions that used it stay, without a secret.
     * Errors: INVALID_ARGUMENT (no secret_id; a request_id that was used with another content); NOT_FOUND; ABORTED (the
     * etag is not the current one).
     * </pre>
     */
    public llmgateway.v1.DeleteGatewaySecretResponse deleteGatewaySecret(llmgateway.v1.DeleteGatewaySecretRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getDeleteGatewaySecretMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * ListGatewaySecretInfos lists secrets in order of creation, then of id.
     * Every page shows the list as it was when its first page was read.
     * Errors: INVALID_ARGUMENT (a page_size or page_token that is not valid); ABORTED (the list began more than 24
     * hours ago, and was changed since).
     * </pre>
     */
    public llmgateway.v1.ListGatewaySecretInfosResponse listGatewaySecretInfos(llmgateway.v1.ListGatewaySecretInfosRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListGatewaySecretInfosMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service SecretService.
   * <pre>
   * SecretService manages the credentials that model definitions use.
   * </pre>
   */
  public static final class SecretServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<SecretServiceBlockingStub> {
    private SecretServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected SecretServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new SecretServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * CreateGatewaySecret stores a credential, encrypted, under a new id.
     * Errors: INVALID_ARGUMENT (a name outside its limits, no secret value, an empty key or value, a reserved key, an
     * unsafe auth_config.api_base; a request_id that was used with another content); ALREADY_EXISTS (the name is
     * taken).
     * </pre>
     */
    public llmgateway.v1.CreateGatewaySecretResponse createGatewaySecret(llmgateway.v1.CreateGatewaySecretRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCreateGatewaySecretMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * GetGatewaySecretInfo reads one secret's description, never its value.
     * Errors: INVALID_ARGUMENT (not exactly one of secret_id and secret_name); NOT_FOUND.
     * </pre>
     */
    public llmgateway.v1.GetGatewaySecretInfoResponse getGatewaySecretInfo(llmgateway.v1.GetGatewaySecretInfoRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetGatewaySecretInfoMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * UpdateGatewaySecret replaces the value or the auth_config of a secret. Its id and name never change.
     * Errors: INVALID_ARGUMENT (as in CreateGatewaySecret; an unknown update_mask path; clearing a required field; a
     * request_id that was used with another content); NOT_FOUND; ABORTED (the etag is not the current one).
     * </pre>
     */
    public llmgateway.v1.UpdateGatewaySecretResponse updateGatewaySecret(llmgateway.v1.UpdateGatewaySecretRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getUpdateGatewaySecretMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * DeleteGatewaySecret removes a secret. Model definitions that used it stay, without a secret.
     * Errors: INVALID_ARGUMENT (no secret_id; a request_id that was used with another content); NOT_FOUND; ABORTED (the
     * etag is not the current one).
     * </pre>
     */
    public llmgateway.v1.DeleteGatewaySecretResponse deleteGatewaySecret(llmgateway.v1.DeleteGatewaySecretRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDeleteGatewaySecretMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * ListGatewaySecretInfos lists secrets in order of creation, then of id.
     * Every page shows the list as it was when its first page was read.
     * Errors: INVALID_ARGUMENT (a page_size or page_token that is not valid); ABORTED (the list began more than 24
     * hours ago, and was changed since).
     * </pre>
     */
    public llmgateway.v1.ListGatewaySecretInfosResponse listGatewaySecretInfos(llmgateway.v1.ListGatewaySecretInfosRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListGatewaySecretInfosMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service SecretService.
   * <pre>
   * SecretService manages the credentials that model definitions use.
   * </pre>
   */
  public static final class SecretServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<SecretServiceFutureStub> {
    private SecretServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected SecretServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new SecretServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * CreateGatewaySecret stores a credential, encrypted, under a new id.
     * Errors: INVALID_ARGUMENT (a name outside its limits, no secret value, an empty key or value, a reserved key, an
     * unsafe auth_config.api_base; a request_id that was used with another content); ALREADY_EXISTS (the name is
     * taken).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.CreateGatewaySecretResponse> createGatewaySecret(
        llmgateway.v1.CreateGatewaySecretRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCreateGatewaySecretMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * GetGatewaySecretInfo reads one secret's description, never its value.
     * Errors: INVALID_ARGUMENT (not exactly one of secret_id and secret_name); NOT_FOUND.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.GetGatewaySecretInfoResponse> getGatewaySecretInfo(
        llmgateway.v1.GetGatewaySecretInfoRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetGatewaySecretInfoMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * UpdateGatewaySecret replaces the value or the auth_config of a secret. Its id and name never change.
     * Errors: INVALID_ARGUMENT (as in CreateGatewaySecret; an unknown update_mask path; clearing a required field; a
     * request_id that was used with another content); NOT_FOUND; ABORTED (the etag is not the current one).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.UpdateGatewaySecretResponse> updateGatewaySecret(
        llmgateway.v1.UpdateGatewaySecretRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getUpdateGatewaySecretMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * DeleteGatewaySecret removes a secret. Model definitions that used it stay, without a secret.
     * Errors: INVALID_ARGUMENT (no secret_id; a request_id that was used with another content); NOT_FOUND; ABORTED (the
     * etag is not the current one).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.DeleteGatewaySecretResponse> deleteGatewaySecret(
        llmgateway.v1.DeleteGatewaySecretRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDeleteGatewaySecretMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * ListGatewaySecretInfos lists secrets in order of creation, then of id.
     * Every page shows the list as it was when its first page was read.
     * Errors: INVALID_ARGUMENT (a page_size or page_token that is not valid); ABORTED (the list began more than 24
     * hours ago, and was changed since).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.ListGatewaySecretInfosResponse> listGatewaySecretInfos(
        llmgateway.v1.ListGatewaySecretInfosRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListGatewaySecretInfosMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_CREATE_GATEWAY_SECRET = 0;
  private static final int METHODID_GET_GATEWAY_SECRET_INFO = 1;
  private static final int METHODID_UPDATE_GATEWAY_SECRET = 2;
  private static final int METHODID_DELETE_GATEWAY_SECRET = 3;
  private static final int METHODID_LIST_GATEWAY_SECRET_INFOS = 4;

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
        case METHODID_CREATE_GATEWAY_SECRET:
          serviceImpl.createGatewaySecret((llmgateway.v1.CreateGatewaySecretRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.CreateGatewaySecretResponse>) responseObserver);
          break;
        case METHODID_GET_GATEWAY_SECRET_INFO:
          serviceImpl.getGatewaySecretInfo((llmgateway.v1.GetGatewaySecretInfoRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.GetGatewaySecretInfoResponse>) responseObserver);
          break;
        case METHODID_UPDATE_GATEWAY_SECRET:
          serviceImpl.updateGatewaySecret((llmgateway.v1.UpdateGatewaySecretRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.UpdateGatewaySecretResponse>) responseObserver);
          break;
        case METHODID_DELETE_GATEWAY_SECRET:
          serviceImpl.deleteGatewaySecret((llmgateway.v1.DeleteGatewaySecretRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.DeleteGatewaySecretResponse>) responseObserver);
          break;
        case METHODID_LIST_GATEWAY_SECRET_INFOS:
          serviceImpl.listGatewaySecretInfos((llmgateway.v1.ListGatewaySecretInfosRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.ListGatewaySecretInfosResponse>) responseObserver);
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
          getCreateGatewaySecretMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.CreateGatewaySecretRequest,
              llmgateway.v1.CreateGatewaySecretResponse>(
                service, METHODID_CREATE_GATEWAY_SECRET)))
        .addMethod(
          getGetGatewaySecretInfoMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.GetGatewaySecretInfoRequest,
              llmgateway.v1.GetGatewaySecretInfoResponse>(
                service, METHODID_GET_GATEWAY_SECRET_INFO)))
        .addMethod(
          getUpdateGatewaySecretMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.UpdateGatewaySecretRequest,
              llmgateway.v1.UpdateGatewaySecretResponse>(
                service, METHODID_UPDATE_GATEWAY_SECRET)))
        .addMethod(
          getDeleteGatewaySecretMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.DeleteGatewaySecretRequest,
              llmgateway.v1.DeleteGatewaySecretResponse>(
                service, METHODID_DELETE_GATEWAY_SECRET)))
        .addMethod(
          getListGatewaySecretInfosMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.ListGatewaySecretInfosRequest,
              llmgateway.v1.ListGatewaySecretInfosResponse>(
                service, METHODID_LIST_GATEWAY_SECRET_INFOS)))
        .build();
  }

  private static abstract class SecretServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    SecretServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return llmgateway.v1.Secret.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("SecretService");
    }
  }

  private static final class SecretServiceFileDescriptorSupplier
      extends SecretServiceBaseDescriptorSupplier {
    SecretServiceFileDescriptorSupplier() {}
  }

  private static final class SecretServiceMethodDescriptorSupplier
      extends SecretServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    SecretServiceMethodDescriptorSupplier(java.lang.String methodName) {
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
      synchronized (SecretServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new SecretServiceFileDescriptorSupplier())
              .addMethod(getCreateGatewaySecretMethod())
              .addMethod(getGetGatewaySecretInfoMethod())
              .addMethod(getUpdateGatewaySecretMethod())
              .addMethod(getDeleteGatewaySecretMethod())
              .addMethod(getListGatewaySecretInfosMethod())
              .build();
        }
      }
    }
    return result;
  }
}
