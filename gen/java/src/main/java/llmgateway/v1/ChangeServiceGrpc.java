package llmgateway.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * ChangeService tells what changed. What is spent of a budget is not configuration, and not in the log.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class ChangeServiceGrpc {

  private ChangeServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "llm_gateway.v1.ChangeService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.ListGatewayChangesRequest,
      llmgateway.v1.ListGatewayChangesResponse> getListGatewayChangesMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListGatewayChanges",
      requestType = llmgateway.v1.ListGatewayChangesRequest.class,
      responseType = llmgateway.v1.ListGatewayChangesResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.ListGatewayChangesRequest,
      llmgateway.v1.ListGatewayChangesResponse> getListGatewayChangesMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.ListGatewayChangesRequest, llmgateway.v1.ListGatewayChangesResponse> getListGatewayChangesMethod;
    if ((getListGatewayChangesMethod = ChangeServiceGrpc.getListGatewayChangesMethod) == null) {
      synchronized (ChangeServiceGrpc.class) {
        if ((getListGatewayChangesMethod = ChangeServiceGrpc.getListGatewayChangesMethod) == null) {
          ChangeServiceGrpc.getListGatewayChangesMethod = getListGatewayChangesMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.ListGatewayChangesRequest, llmgateway.v1.ListGatewayChangesResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListGatewayChanges"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.ListGatewayChangesRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.ListGatewayChangesResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ChangeServiceMethodDescriptorSupplier("ListGatewayChanges"))
              .build();
        }
      }
    }
    return getListGatewayChangesMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static ChangeServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ChangeServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ChangeServiceStub>() {
        @java.lang.Override
        public ChangeServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ChangeServiceStub(channel, callOptions);
        }
      };
    return ChangeServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static ChangeServiceBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ChangeServiceBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ChangeServiceBlockingV2Stub>() {
        @java.lang.Override
        public ChangeServiceBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ChangeServiceBlockingV2Stub(channel, callOptions);
        }
      };
    return ChangeServiceBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static ChangeServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ChangeServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ChangeServiceBlockingStub>() {
        @java.lang.Override
        public ChangeServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ChangeServiceBlockingStub(channel, callOptions);
        }
      };
    return ChangeServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static ChangeServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ChangeServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ChangeServiceFutureStub>() {
        @java.lang.Override
        public ChangeServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ChangeServiceFutureStub(channel, callOptions);
        }
      };
    return ChangeServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * ChangeService tells what changed. What is spent of a budget is not configuration, and not in the log.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * ListGatewayChanges lists the changes after a revision, in their order, which is that of their revisions: 1, 2, 3 and
     * on without a gap.
     * Errors: INVALID_ARGUMENT (a since_revision or page_size that is not valid).
     * </pre>
     */
    default void listGatewayChanges(llmgateway.v1.ListGatewayChangesRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.ListGatewayChangesResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListGatewayChangesMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service ChangeService.
   * <pre>
   * ChangeService tells what changed. What is spent of a budget is not configuration, and not in the log.
   * </pre>
   */
  public static abstract class ChangeServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return ChangeServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service ChangeService.
   * <pre>
   * ChangeService tells what changed. What is spent of a budget is not configuration, and not in the log.
   * </pre>
   */
  public static final class ChangeServiceStub
      extends io.grpc.stub.AbstractAsyncStub<ChangeServiceStub> {
    private ChangeServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ChangeServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ChangeServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * ListGatewayChanges lists the changes after a revision, in their order, which is that of their revisions: 1, 2, 3 and
     * on without a gap.
     * Errors: INVALID_ARGUMENT (a since_revision or page_size that is not valid).
     * </pre>
     */
    public void listGatewayChanges(llmgateway.v1.ListGatewayChangesRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.ListGatewayChangesResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListGatewayChangesMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service ChangeService.
   * <pre>
   * ChangeService tells what changed. What is spent of a budget is not configuration, and not in the log.
   * </pre>
   */
  public static final class ChangeServiceBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<ChangeServiceBlockingV2Stub> {
    private ChangeServiceBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ChangeServiceBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ChangeServiceBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * ListGatewayChanges lists the changes after a revision, in their order, which is that of their revisions: 1, 2, 3 and
     * on without a gap.
     * Errors: INVALID_ARGUMENT (a since_revision or page_size that is not valid).
     * </pre>
     */
    public llmgateway.v1.ListGatewayChangesResponse listGatewayChanges(llmgateway.v1.ListGatewayChangesRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListGatewayChangesMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service ChangeService.
   * <pre>
   * ChangeService tells what changed. What is spent of a budget is not configuration, and not in the log.
   * </pre>
   */
  public static final class ChangeServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<ChangeServiceBlockingStub> {
    private ChangeServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ChangeServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ChangeServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * ListGatewayChanges lists the changes after a revision, in their order, which is that of their revisions: 1, 2, 3 and
     * on without a gap.
     * Errors: INVALID_ARGUMENT (a since_revision or page_size that is not valid).
     * </pre>
     */
    public llmgateway.v1.ListGatewayChangesResponse listGatewayChanges(llmgateway.v1.ListGatewayChangesRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListGatewayChangesMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service ChangeService.
   * <pre>
   * ChangeService tells what changed. What is spent of a budget is not configuration, and not in the log.
   * </pre>
   */
  public static final class ChangeServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<ChangeServiceFutureStub> {
    private ChangeServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ChangeServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ChangeServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * ListGatewayChanges lists the changes after a revision, in their order, which is that of their revisions: 1, 2, 3 and
     * on without a gap.
     * Errors: INVALID_ARGUMENT (a since_revision or page_size that is not valid).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.ListGatewayChangesResponse> listGatewayChanges(
        llmgateway.v1.ListGatewayChangesRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListGatewayChangesMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_LIST_GATEWAY_CHANGES = 0;

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
        case METHODID_LIST_GATEWAY_CHANGES:
          serviceImpl.listGatewayChanges((llmgateway.v1.ListGatewayChangesRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.ListGatewayChangesResponse>) responseObserver);
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
          getListGatewayChangesMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.ListGatewayChangesRequest,
              llmgateway.v1.ListGatewayChangesResponse>(
                service, METHODID_LIST_GATEWAY_CHANGES)))
        .build();
  }

  private static abstract class ChangeServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    ChangeServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return llmgateway.v1.Change.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("ChangeService");
    }
  }

  private static final class ChangeServiceFileDescriptorSupplier
      extends ChangeServiceBaseDescriptorSupplier {
    ChangeServiceFileDescriptorSupplier() {}
  }

  private static final class ChangeServiceMethodDescriptorSupplier
      extends ChangeServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    ChangeServiceMethodDescriptorSupplier(java.lang.String methodName) {
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
      synchronized (ChangeServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new ChangeServiceFileDescriptorSupplier())
              .addMethod(getListGatewayChangesMethod())
              .build();
        }
      }
    }
    return result;
  }
}
