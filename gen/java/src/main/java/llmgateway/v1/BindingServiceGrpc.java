package llmgateway.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * BindingService manages the links between endpoints and the resources that use them.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class BindingServiceGrpc {

  private BindingServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "llm_gateway.v1.BindingService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.CreateGatewayEndpointBindingRequest,
      llmgateway.v1.CreateGatewayEndpointBindingResponse> getCreateGatewayEndpointBindingMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CreateGatewayEndpointBinding",
      requestType = llmgateway.v1.CreateGatewayEndpointBindingRequest.class,
      responseType = llmgateway.v1.CreateGatewayEndpointBindingResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.CreateGatewayEndpointBindingRequest,
      llmgateway.v1.CreateGatewayEndpointBindingResponse> getCreateGatewayEndpointBindingMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.CreateGatewayEndpointBindingRequest, llmgateway.v1.CreateGatewayEndpointBindingResponse> getCreateGatewayEndpointBindingMethod;
    if ((getCreateGatewayEndpointBindingMethod = BindingServiceGrpc.getCreateGatewayEndpointBindingMethod) == null) {
      synchronized (BindingServiceGrpc.class) {
        if ((getCreateGatewayEndpointBindingMethod = BindingServiceGrpc.getCreateGatewayEndpointBindingMethod) == null) {
          BindingServiceGrpc.getCreateGatewayEndpointBindingMethod = getCreateGatewayEndpointBindingMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.CreateGatewayEndpointBindingRequest, llmgateway.v1.CreateGatewayEndpointBindingResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CreateGatewayEndpointBinding"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.CreateGatewayEndpointBindingRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.CreateGatewayEndpointBindingResponse.getDefaultInstance()))
              .setSchemaDescriptor(new BindingServiceMethodDescriptorSupplier("CreateGatewayEndpointBinding"))
              .build();
        }
      }
    }
    return getCreateGatewayEndpointBindingMethod;
  }

  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.DeleteGatewayEndpointBindingRequest,
      llmgateway.v1.DeleteGatewayEndpointBindingResponse> getDeleteGatewayEndpointBindingMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "DeleteGatewayEndpointBinding",
      requestType = llmgateway.v1.DeleteGatewayEndpointBindingRequest.class,
      responseType = llmgateway.v1.DeleteGatewayEndpointBindingResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.DeleteGatewayEndpointBindingRequest,
      llmgateway.v1.DeleteGatewayEndpointBindingResponse> getDeleteGatewayEndpointBindingMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.DeleteGatewayEndpointBindingRequest, llmgateway.v1.DeleteGatewayEndpointBindingResponse> getDeleteGatewayEndpointBindingMethod;
    if ((getDeleteGatewayEndpointBindingMethod = BindingServiceGrpc.getDeleteGatewayEndpointBindingMethod) == null) {
      synchronized (BindingServiceGrpc.class) {
        if ((getDeleteGatewayEndpointBindingMethod = BindingServiceGrpc.getDeleteGatewayEndpointBindingMethod) == null) {
          BindingServiceGrpc.getDeleteGatewayEndpointBindingMethod = getDeleteGatewayEndpointBindingMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.DeleteGatewayEndpointBindingRequest, llmgateway.v1.DeleteGatewayEndpointBindingResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "DeleteGatewayEndpointBinding"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.DeleteGatewayEndpointBindingRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.DeleteGatewayEndpointBindingResponse.getDefaultInstance()))
              .setSchemaDescriptor(new BindingServiceMethodDescriptorSupplier("DeleteGatewayEndpointBinding"))
              .build();
        }
      }
    }
    return getDeleteGatewayEndpointBindingMethod;
  }

  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.ListGatewayEndpointBindingsRequest,
      llmgateway.v1.ListGatewayEndpointBindingsResponse> getListGatewayEndpointBindingsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListGatewayEndpointBindings",
      requestType = llmgateway.v1.ListGatewayEndpointBindingsRequest.class,
      responseType = llmgateway.v1.ListGatewayEndpointBindingsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.ListGatewayEndpointBindingsRequest,
      llmgateway.v1.ListGatewayEndpointBindingsResponse> getListGatewayEndpointBindingsMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.ListGatewayEndpointBindingsRequest, llmgateway.v1.ListGatewayEndpointBindingsResponse> getListGatewayEndpointBindingsMethod;
    if ((getListGatewayEndpointBindingsMethod = BindingServiceGrpc.getListGatewayEndpointBindingsMethod) == null) {
      synchronized (BindingServiceGrpc.class) {
        if ((getListGatewayEndpointBindingsMethod = BindingServiceGrpc.getListGatewayEndpointBindingsMethod) == null) {
          BindingServiceGrpc.getListGatewayEndpointBindingsMethod = getListGatewayEndpointBindingsMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.ListGatewayEndpointBindingsRequest, llmgateway.v1.ListGatewayEndpointBindingsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListGatewayEndpointBindings"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.ListGatewayEndpointBindingsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.ListGatewayEndpointBindingsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new BindingServiceMethodDescriptorSupplier("ListGatewayEndpointBindings"))
              .build();
        }
      }
    }
    return getListGatewayEndpointBindingsMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static BindingServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<BindingServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<BindingServiceStub>() {
        @java.lang.Override
        public BindingServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new BindingServiceStub(channel, callOptions);
        }
      };
    return BindingServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static BindingServiceBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<BindingServiceBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<BindingServiceBlockingV2Stub>() {
        @java.lang.Override
        public BindingServiceBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new BindingServiceBlockingV2Stub(channel, callOptions);
        }
      };
    return BindingServiceBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static BindingServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<BindingServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<BindingServiceBlockingStub>() {
        @java.lang.Override
        public BindingServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new BindingServiceBlockingStub(channel, callOptions);
        }
      };
    return BindingServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static BindingServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<BindingServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<BindingServiceFutureStub>() {
        @java.lang.Override
        public BindingServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new BindingServiceFutureStub(channel, callOptions);
        }
      };
    return BindingServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * BindingService manages the links between endpoints and the resources that use them.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * CreateGatewayEndpointBinding links a resource to an endpoint.
     * Errors: INVALID_ARGUMENT (a missing field, or one outside its limits; a resource_type of the wrong form; a
     * request_id that was used with another content); NOT_FOUND (the endpoint); ALREADY_EXISTS (the same link).
     * </pre>
     */
    default void createGatewayEndpointBinding(llmgateway.v1.CreateGatewayEndpointBindingRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.CreateGatewayEndpointBindingResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCreateGatewayEndpointBindingMethod(), responseObserver);
    }

    /**
     * <pre>
     * DeleteGatewayEndpointBinding removes the link that all three fields name.
     * Errors: INVALID_ARGUMENT (a missing field; a request_id that was used with another content); NOT_FOUND; ABORTED
     * (the etag is not the current one).
     * </pre>
     */
    default void deleteGatewayEndpointBinding(llmgateway.v1.DeleteGatewayEndpointBindingRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.DeleteGatewayEndpointBindingResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDeleteGatewayEndpointBindingMethod(), responseObserver);
    }

    /**
     * <pre>
     * ListGatewayEndpointBindings lists bindings in order of creation, then of endpoint, resource type and resource.
     * Every page shows the list as it was when its first page was read.
     * Errors: INVALID_ARGUMENT (a page_size or page_token that is not valid); ABORTED (the list began more than 24
     * hours ago, and was changed since).
     * </pre>
     */
    default void listGatewayEndpointBindings(llmgateway.v1.ListGatewayEndpointBindingsRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.ListGatewayEndpointBindingsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListGatewayEndpointBindingsMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service BindingService.
   * <pre>
   * BindingService manages the links between endpoints and the resources that use them.
   * </pre>
   */
  public static abstract class BindingServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return BindingServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service BindingService.
   * <pre>
   * BindingService manages the links between endpoints and the resources that use them.
   * </pre>
   */
  public static final class BindingServiceStub
      extends io.grpc.stub.AbstractAsyncStub<BindingServiceStub> {
    private BindingServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected BindingServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new BindingServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * CreateGatewayEndpointBinding links a resource to an endpoint.
     * Errors: INVALID_ARGUMENT (a missing field, or one outside its limits; a resource_type of the wrong form; a
     * request_id that was used with another content); NOT_FOUND (the endpoint); ALREADY_EXISTS (the same link).
     * </pre>
     */
    public void createGatewayEndpointBinding(llmgateway.v1.CreateGatewayEndpointBindingRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.CreateGatewayEndpointBindingResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCreateGatewayEndpointBindingMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * DeleteGatewayEndpointBinding removes the link that all three fields name.
     * Errors: INVALID_ARGUMENT (a missing field; a request_id that was used with another content); NOT_FOUND; ABORTED
     * (the etag is not the current one).
     * </pre>
     */
    public void deleteGatewayEndpointBinding(llmgateway.v1.DeleteGatewayEndpointBindingRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.DeleteGatewayEndpointBindingResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDeleteGatewayEndpointBindingMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * ListGatewayEndpointBindings lists bindings in order of creation, then of endpoint, resource type and resource.
     * Every page shows the list as it was when its first page was read.
     * Errors: INVALID_ARGUMENT (a page_size or page_token that is not valid); ABORTED (the list began more than 24
     * hours ago, and was changed since).
     * </pre>
     */
    public void listGatewayEndpointBindings(llmgateway.v1.ListGatewayEndpointBindingsRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.ListGatewayEndpointBindingsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListGatewayEndpointBindingsMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service BindingService.
   * <pre>
   * BindingService manages the links between endpoints and the resources that use them.
   * </pre>
   */
  public static final class BindingServiceBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<BindingServiceBlockingV2Stub> {
    private BindingServiceBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected BindingServiceBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new BindingServiceBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * CreateGatewayEndpointBinding links a resource to an endpoint.
     * Errors: INVALID_ARGUMENT (a missing field, or one outside its limits; a resource_type of the wrong form; a
     * request_id that was used with another content); NOT_FOUND (the endpoint); ALREADY_EXISTS (the same link).
     * </pre>
     */
    public llmgateway.v1.CreateGatewayEndpointBindingResponse createGatewayEndpointBinding(llmgateway.v1.CreateGatewayEndpointBindingRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getCreateGatewayEndpointBindingMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * DeleteGatewayEndpointBinding removes the link that all three fields name.
     * Errors: INVALID_ARGUMENT (a missing field; a request_id that was used with another content); NOT_FOUND; ABORTED
     * (the etag is not the current one).
     * </pre>
     */
    public llmgateway.v1.DeleteGatewayEndpointBindingResponse deleteGatewayEndpointBinding(llmgateway.v1.DeleteGatewayEndpointBindingRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getDeleteGatewayEndpointBindingMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * ListGatewayEndpointBindings lists bindings in order of creation, then of endpoint, resource type and resource.
     * Every page shows the list as it was when its first page was read.
     * Errors: INVALID_ARGUMENT (a page_size or page_token that is not valid); ABORTED (the list began more than 24
     * hours ago, and was changed since).
     * </pre>
     */
    public llmgateway.v1.ListGatewayEndpointBindingsResponse listGatewayEndpointBindings(llmgateway.v1.ListGatewayEndpointBindingsRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListGatewayEndpointBindingsMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service BindingService.
   * <pre>
   * BindingService manages the links between endpoints and the resources that use them.
   * </pre>
   */
  public static final class BindingServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<BindingServiceBlockingStub> {
    private BindingServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected BindingServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new BindingServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * CreateGatewayEndpointBinding links a resource to an endpoint.
     * Errors: INVALID_ARGUMENT (a missing field, or one outside its limits; a resource_type of the wrong form; a
     * request_id that was used with another content); NOT_FOUND (the endpoint); ALREADY_EXISTS (the same link).
     * </pre>
     */
    public llmgateway.v1.CreateGatewayEndpointBindingResponse createGatewayEndpointBinding(llmgateway.v1.CreateGatewayEndpointBindingRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCreateGatewayEndpointBindingMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * DeleteGatewayEndpointBinding removes the link that all three fields name.
     * Errors: INVALID_ARGUMENT (a missing field; a request_id that was used with another content); NOT_FOUND; ABORTED
     * (the etag is not the current one).
     * </pre>
     */
    public llmgateway.v1.DeleteGatewayEndpointBindingResponse deleteGatewayEndpointBinding(llmgateway.v1.DeleteGatewayEndpointBindingRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDeleteGatewayEndpointBindingMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * ListGatewayEndpointBindings lists bindings in order of creation, then of endpoint, resource type and resource.
     * Every page shows the list as it was when its first page was read.
     * Errors: INVALID_ARGUMENT (a page_size or page_token that is not valid); ABORTED (the list began more than 24
     * hours ago, and was changed since).
     * </pre>
     */
    public llmgateway.v1.ListGatewayEndpointBindingsResponse listGatewayEndpointBindings(llmgateway.v1.ListGatewayEndpointBindingsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListGatewayEndpointBindingsMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service BindingService.
   * <pre>
   * BindingService manages the links between endpoints and the resources that use them.
   * </pre>
   */
  public static final class BindingServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<BindingServiceFutureStub> {
    private BindingServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected BindingServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new BindingServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * CreateGatewayEndpointBinding links a resource to an endpoint.
     * Errors: INVALID_ARGUMENT (a missing field, or one outside its limits; a resource_type of the wrong form; a
     * request_id that was used with another content); NOT_FOUND (the endpoint); ALREADY_EXISTS (the same link).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.CreateGatewayEndpointBindingResponse> createGatewayEndpointBinding(
        llmgateway.v1.CreateGatewayEndpointBindingRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCreateGatewayEndpointBindingMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * DeleteGatewayEndpointBinding removes the link that all three fields name.
     * Errors: INVALID_ARGUMENT (a missing field; a request_id that was used with another content); NOT_FOUND; ABORTED
     * (the etag is not the current one).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.DeleteGatewayEndpointBindingResponse> deleteGatewayEndpointBinding(
        llmgateway.v1.DeleteGatewayEndpointBindingRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDeleteGatewayEndpointBindingMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * ListGatewayEndpointBindings lists bindings in order of creation, then of endpoint, resource type and resource.
     * Every page shows the list as it was when its first page was read.
     * Errors: INVALID_ARGUMENT (a page_size or page_token that is not valid); ABORTED (the list began more than 24
     * hours ago, and was changed since).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.ListGatewayEndpointBindingsResponse> listGatewayEndpointBindings(
        llmgateway.v1.ListGatewayEndpointBindingsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListGatewayEndpointBindingsMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_CREATE_GATEWAY_ENDPOINT_BINDING = 0;
  private static final int METHODID_DELETE_GATEWAY_ENDPOINT_BINDING = 1;
  private static final int METHODID_LIST_GATEWAY_ENDPOINT_BINDINGS = 2;

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
        case METHODID_CREATE_GATEWAY_ENDPOINT_BINDING:
          serviceImpl.createGatewayEndpointBinding((llmgateway.v1.CreateGatewayEndpointBindingRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.CreateGatewayEndpointBindingResponse>) responseObserver);
          break;
        case METHODID_DELETE_GATEWAY_ENDPOINT_BINDING:
          serviceImpl.deleteGatewayEndpointBinding((llmgateway.v1.DeleteGatewayEndpointBindingRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.DeleteGatewayEndpointBindingResponse>) responseObserver);
          break;
        case METHODID_LIST_GATEWAY_ENDPOINT_BINDINGS:
          serviceImpl.listGatewayEndpointBindings((llmgateway.v1.ListGatewayEndpointBindingsRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.ListGatewayEndpointBindingsResponse>) responseObserver);
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
          getCreateGatewayEndpointBindingMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.CreateGatewayEndpointBindingRequest,
              llmgateway.v1.CreateGatewayEndpointBindingResponse>(
                service, METHODID_CREATE_GATEWAY_ENDPOINT_BINDING)))
        .addMethod(
          getDeleteGatewayEndpointBindingMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.DeleteGatewayEndpointBindingRequest,
              llmgateway.v1.DeleteGatewayEndpointBindingResponse>(
                service, METHODID_DELETE_GATEWAY_ENDPOINT_BINDING)))
        .addMethod(
          getListGatewayEndpointBindingsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.ListGatewayEndpointBindingsRequest,
              llmgateway.v1.ListGatewayEndpointBindingsResponse>(
                service, METHODID_LIST_GATEWAY_ENDPOINT_BINDINGS)))
        .build();
  }

  private static abstract class BindingServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    BindingServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return llmgateway.v1.Binding.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("BindingService");
    }
  }

  private static final class BindingServiceFileDescriptorSupplier
      extends BindingServiceBaseDescriptorSupplier {
    BindingServiceFileDescriptorSupplier() {}
  }

  private static final class BindingServiceMethodDescriptorSupplier
      extends BindingServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    BindingServiceMethodDescriptorSupplier(java.lang.String methodName) {
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
      synchronized (BindingServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new BindingServiceFileDescriptorSupplier())
              .addMethod(getCreateGatewayEndpointBindingMethod())
              .addMethod(getDeleteGatewayEndpointBindingMethod())
              .addMethod(getListGatewayEndpointBindingsMethod())
              .build();
        }
      }
    }
    return result;
  }
}
