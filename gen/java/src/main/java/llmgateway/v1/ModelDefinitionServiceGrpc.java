package llmgateway.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * ModelDefinitionService manages the models that endpoints route to.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class ModelDefinitionServiceGrpc {

  private ModelDefinitionServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "llm_gateway.v1.ModelDefinitionService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.CreateGatewayModelDefinitionRequest,
      llmgateway.v1.CreateGatewayModelDefinitionResponse> getCreateGatewayModelDefinitionMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CreateGatewayModelDefinition",
      requestType = llmgateway.v1.CreateGatewayModelDefinitionRequest.class,
      responseType = llmgateway.v1.CreateGatewayModelDefinitionResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.CreateGatewayModelDefinitionRequest,
      llmgateway.v1.CreateGatewayModelDefinitionResponse> getCreateGatewayModelDefinitionMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.CreateGatewayModelDefinitionRequest, llmgateway.v1.CreateGatewayModelDefinitionResponse> getCreateGatewayModelDefinitionMethod;
    if ((getCreateGatewayModelDefinitionMethod = ModelDefinitionServiceGrpc.getCreateGatewayModelDefinitionMethod) == null) {
      synchronized (ModelDefinitionServiceGrpc.class) {
        if ((getCreateGatewayModelDefinitionMethod = ModelDefinitionServiceGrpc.getCreateGatewayModelDefinitionMethod) == null) {
          ModelDefinitionServiceGrpc.getCreateGatewayModelDefinitionMethod = getCreateGatewayModelDefinitionMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.CreateGatewayModelDefinitionRequest, llmgateway.v1.CreateGatewayModelDefinitionResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CreateGatewayModelDefinition"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.CreateGatewayModelDefinitionRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.CreateGatewayModelDefinitionResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ModelDefinitionServiceMethodDescriptorSupplier("CreateGatewayModelDefinition"))
              .build();
        }
      }
    }
    return getCreateGatewayModelDefinitionMethod;
  }

  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.GetGatewayModelDefinitionRequest,
      llmgateway.v1.GetGatewayModelDefinitionResponse> getGetGatewayModelDefinitionMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetGatewayModelDefinition",
      requestType = llmgateway.v1.GetGatewayModelDefinitionRequest.class,
      responseType = llmgateway.v1.GetGatewayModelDefinitionResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.GetGatewayModelDefinitionRequest,
      llmgateway.v1.GetGatewayModelDefinitionResponse> getGetGatewayModelDefinitionMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.GetGatewayModelDefinitionRequest, llmgateway.v1.GetGatewayModelDefinitionResponse> getGetGatewayModelDefinitionMethod;
    if ((getGetGatewayModelDefinitionMethod = ModelDefinitionServiceGrpc.getGetGatewayModelDefinitionMethod) == null) {
      synchronized (ModelDefinitionServiceGrpc.class) {
        if ((getGetGatewayModelDefinitionMethod = ModelDefinitionServiceGrpc.getGetGatewayModelDefinitionMethod) == null) {
          ModelDefinitionServiceGrpc.getGetGatewayModelDefinitionMethod = getGetGatewayModelDefinitionMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.GetGatewayModelDefinitionRequest, llmgateway.v1.GetGatewayModelDefinitionResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetGatewayModelDefinition"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.GetGatewayModelDefinitionRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.GetGatewayModelDefinitionResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ModelDefinitionServiceMethodDescriptorSupplier("GetGatewayModelDefinition"))
              .build();
        }
      }
    }
    return getGetGatewayModelDefinitionMethod;
  }

  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.ListGatewayModelDefinitionsRequest,
      llmgateway.v1.ListGatewayModelDefinitionsResponse> getListGatewayModelDefinitionsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListGatewayModelDefinitions",
      requestType = llmgateway.v1.ListGatewayModelDefinitionsRequest.class,
      responseType = llmgateway.v1.ListGatewayModelDefinitionsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.ListGatewayModelDefinitionsRequest,
      llmgateway.v1.ListGatewayModelDefinitionsResponse> getListGatewayModelDefinitionsMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.ListGatewayModelDefinitionsRequest, llmgateway.v1.ListGatewayModelDefinitionsResponse> getListGatewayModelDefinitionsMethod;
    if ((getListGatewayModelDefinitionsMethod = ModelDefinitionServiceGrpc.getListGatewayModelDefinitionsMethod) == null) {
      synchronized (ModelDefinitionServiceGrpc.class) {
        if ((getListGatewayModelDefinitionsMethod = ModelDefinitionServiceGrpc.getListGatewayModelDefinitionsMethod) == null) {
          ModelDefinitionServiceGrpc.getListGatewayModelDefinitionsMethod = getListGatewayModelDefinitionsMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.ListGatewayModelDefinitionsRequest, llmgateway.v1.ListGatewayModelDefinitionsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListGatewayModelDefinitions"))
              .setSafe(true)
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.ListGatewayModelDefinitionsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.ListGatewayModelDefinitionsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ModelDefinitionServiceMethodDescriptorSupplier("ListGatewayModelDefinitions"))
              .build();
        }
      }
    }
    return getListGatewayModelDefinitionsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.UpdateGatewayModelDefinitionRequest,
      llmgateway.v1.UpdateGatewayModelDefinitionResponse> getUpdateGatewayModelDefinitionMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "UpdateGatewayModelDefinition",
      requestType = llmgateway.v1.UpdateGatewayModelDefinitionRequest.class,
      responseType = llmgateway.v1.UpdateGatewayModelDefinitionResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.UpdateGatewayModelDefinitionRequest,
      llmgateway.v1.UpdateGatewayModelDefinitionResponse> getUpdateGatewayModelDefinitionMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.UpdateGatewayModelDefinitionRequest, llmgateway.v1.UpdateGatewayModelDefinitionResponse> getUpdateGatewayModelDefinitionMethod;
    if ((getUpdateGatewayModelDefinitionMethod = ModelDefinitionServiceGrpc.getUpdateGatewayModelDefinitionMethod) == null) {
      synchronized (ModelDefinitionServiceGrpc.class) {
        if ((getUpdateGatewayModelDefinitionMethod = ModelDefinitionServiceGrpc.getUpdateGatewayModelDefinitionMethod) == null) {
          ModelDefinitionServiceGrpc.getUpdateGatewayModelDefinitionMethod = getUpdateGatewayModelDefinitionMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.UpdateGatewayModelDefinitionRequest, llmgateway.v1.UpdateGatewayModelDefinitionResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "UpdateGatewayModelDefinition"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.UpdateGatewayModelDefinitionRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.UpdateGatewayModelDefinitionResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ModelDefinitionServiceMethodDescriptorSupplier("UpdateGatewayModelDefinition"))
              .build();
        }
      }
    }
    return getUpdateGatewayModelDefinitionMethod;
  }

  private static volatile io.grpc.MethodDescriptor<llmgateway.v1.DeleteGatewayModelDefinitionRequest,
      llmgateway.v1.DeleteGatewayModelDefinitionResponse> getDeleteGatewayModelDefinitionMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "DeleteGatewayModelDefinition",
      requestType = llmgateway.v1.DeleteGatewayModelDefinitionRequest.class,
      responseType = llmgateway.v1.DeleteGatewayModelDefinitionResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<llmgateway.v1.DeleteGatewayModelDefinitionRequest,
      llmgateway.v1.DeleteGatewayModelDefinitionResponse> getDeleteGatewayModelDefinitionMethod() {
    io.grpc.MethodDescriptor<llmgateway.v1.DeleteGatewayModelDefinitionRequest, llmgateway.v1.DeleteGatewayModelDefinitionResponse> getDeleteGatewayModelDefinitionMethod;
    if ((getDeleteGatewayModelDefinitionMethod = ModelDefinitionServiceGrpc.getDeleteGatewayModelDefinitionMethod) == null) {
      synchronized (ModelDefinitionServiceGrpc.class) {
        if ((getDeleteGatewayModelDefinitionMethod = ModelDefinitionServiceGrpc.getDeleteGatewayModelDefinitionMethod) == null) {
          ModelDefinitionServiceGrpc.getDeleteGatewayModelDefinitionMethod = getDeleteGatewayModelDefinitionMethod =
              io.grpc.MethodDescriptor.<llmgateway.v1.DeleteGatewayModelDefinitionRequest, llmgateway.v1.DeleteGatewayModelDefinitionResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "DeleteGatewayModelDefinition"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.DeleteGatewayModelDefinitionRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  llmgateway.v1.DeleteGatewayModelDefinitionResponse.getDefaultInstance()))
              .setSchemaDescriptor(new ModelDefinitionServiceMethodDescriptorSupplier("DeleteGatewayModelDefinition"))
              .build();
        }
      }
    }
    return getDeleteGatewayModelDefinitionMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static ModelDefinitionServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ModelDefinitionServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ModelDefinitionServiceStub>() {
        @java.lang.Override
        public ModelDefinitionServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ModelDefinitionServiceStub(channel, callOptions);
        }
      };
    return ModelDefinitionServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static ModelDefinitionServiceBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ModelDefinitionServiceBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ModelDefinitionServiceBlockingV2Stub>() {
        @java.lang.Override
        public ModelDefinitionServiceBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ModelDefinitionServiceBlockingV2Stub(channel, callOptions);
        }
      };
    return ModelDefinitionServiceBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static ModelDefinitionServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ModelDefinitionServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ModelDefinitionServiceBlockingStub>() {
        @java.lang.Override
        public ModelDefinitionServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ModelDefinitionServiceBlockingStub(channel, callOptions);
        }
      };
    return ModelDefinitionServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static ModelDefinitionServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ModelDefinitionServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ModelDefinitionServiceFutureStub>() {
        @java.lang.Override
        public ModelDefinitionServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ModelDefinitionServiceFutureStub(channel, callOptions);
        }
      };
    return ModelDefinitionServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * ModelDefinitionService manages the models that endpoints route to.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * CreateGatewayModelDefinition stores a model under a new id.
     * Errors: INVALID_ARGUMENT (a missing field, or one outside its limits; a request_id that was used with another
     * content); NOT_FOUND (the secret); ALREADY_EXISTS (the name is taken).
     * </pre>
     */
    default void createGatewayModelDefinition(llmgateway.v1.CreateGatewayModelDefinitionRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.CreateGatewayModelDefinitionResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCreateGatewayModelDefinitionMethod(), responseObserver);
    }

    /**
     * <pre>
     * GetGatewayModelDefinition reads one model definition.
     * Errors: INVALID_ARGUMENT (not exactly one of model_definition_id and name); NOT_FOUND.
     * </pre>
     */
    default void getGatewayModelDefinition(llmgateway.v1.GetGatewayModelDefinitionRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.GetGatewayModelDefinitionResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetGatewayModelDefinitionMethod(), responseObserver);
    }

    /**
     * <pre>
     * ListGatewayModelDefinitions lists model definitions in order of creation, then of id.
     * Every page shows the list as it was when its first page was read.
     * Errors: INVALID_ARGUMENT (a page_size or page_token that is not valid); ABORTED (the list began more than 24
     * hours ago, and was changed since).
     * </pre>
     */
    default void listGatewayModelDefinitions(llmgateway.v1.ListGatewayModelDefinitionsRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.ListGatewayModelDefinitionsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListGatewayModelDefinitionsMethod(), responseObserver);
    }

    /**
     * <pre>
     * UpdateGatewayModelDefinition changes the named fields of a model definition.
     * Errors: INVALID_ARGUMENT (a field outside its limits; an unknown update_mask path; clearing a required field; a
     * request_id that was used with another content); NOT_FOUND (the definition or its new secret); ALREADY_EXISTS (the
     * new name is taken); ABORTED (the etag is not the current one).
     * </pre>
     */
    default void updateGatewayModelDefinition(llmgateway.v1.UpdateGatewayModelDefinitionRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.UpdateGatewayModelDefinitionResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getUpdateGatewayModelDefinitionMethod(), responseObserver);
    }

    /**
     * <pre>
     * DeleteGatewayModelDefinition removes a model definition that no endpoint uses.
     * Errors: INVALID_ARGUMENT (no model_definition_id; a request_id that was used with another content); NOT_FOUND;
     * FAILED_PRECONDITION (an endpoint uses it); ABORTED (the etag is not the current one).
     * </pre>
     */
    default void deleteGatewayModelDefinition(llmgateway.v1.DeleteGatewayModelDefinitionRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.DeleteGatewayModelDefinitionResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDeleteGatewayModelDefinitionMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service ModelDefinitionService.
   * <pre>
   * ModelDefinitionService manages the models that endpoints route to.
   * </pre>
   */
  public static abstract class ModelDefinitionServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return ModelDefinitionServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service ModelDefinitionService.
   * <pre>
   * ModelDefinitionService manages the models that endpoints route to.
   * </pre>
   */
  public static final class ModelDefinitionServiceStub
      extends io.grpc.stub.AbstractAsyncStub<ModelDefinitionServiceStub> {
    private ModelDefinitionServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ModelDefinitionServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ModelDefinitionServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * CreateGatewayModelDefinition stores a model under a new id.
     * Errors: INVALID_ARGUMENT (a missing field, or one outside its limits; a request_id that was used with another
     * content); NOT_FOUND (the secret); ALREADY_EXISTS (the name is taken).
     * </pre>
     */
    public void createGatewayModelDefinition(llmgateway.v1.CreateGatewayModelDefinitionRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.CreateGatewayModelDefinitionResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCreateGatewayModelDefinitionMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * GetGatewayModelDefinition reads one model definition.
     * Errors: INVALID_ARGUMENT (not exactly one of model_definition_id and name); NOT_FOUND.
     * </pre>
     */
    public void getGatewayModelDefinition(llmgateway.v1.GetGatewayModelDefinitionRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.GetGatewayModelDefinitionResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetGatewayModelDefinitionMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * ListGatewayModelDefinitions lists model definitions in order of creation, then of id.
     * Every page shows the list as it was when its first page was read.
     * Errors: INVALID_ARGUMENT (a page_size or page_token that is not valid); ABORTED (the list began more than 24
     * hours ago, and was changed since).
     * </pre>
     */
    public void listGatewayModelDefinitions(llmgateway.v1.ListGatewayModelDefinitionsRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.ListGatewayModelDefinitionsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListGatewayModelDefinitionsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * UpdateGatewayModelDefinition changes the named fields of a model definition.
     * Errors: INVALID_ARGUMENT (a field outside its limits; an unknown update_mask path; clearing a required field; a
     * request_id that was used with another content); NOT_FOUND (the definition or its new secret); ALREADY_EXISTS (the
     * new name is taken); ABORTED (the etag is not the current one).
     * </pre>
     */
    public void updateGatewayModelDefinition(llmgateway.v1.UpdateGatewayModelDefinitionRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.UpdateGatewayModelDefinitionResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getUpdateGatewayModelDefinitionMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * DeleteGatewayModelDefinition removes a model definition that no endpoint uses.
     * Errors: INVALID_ARGUMENT (no model_definition_id; a request_id that was used with another content); NOT_FOUND;
     * FAILED_PRECONDITION (an endpoint uses it); ABORTED (the etag is not the current one).
     * </pre>
     */
    public void deleteGatewayModelDefinition(llmgateway.v1.DeleteGatewayModelDefinitionRequest request,
        io.grpc.stub.StreamObserver<llmgateway.v1.DeleteGatewayModelDefinitionResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDeleteGatewayModelDefinitionMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service ModelDefinitionService.
   * <pre>
   * ModelDefinitionService manages the models that endpoints route to.
   * </pre>
   */
  public static final class ModelDefinitionServiceBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<ModelDefinitionServiceBlockingV2Stub> {
    private ModelDefinitionServiceBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ModelDefinitionServiceBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ModelDefinitionServiceBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * CreateGatewayModelDefinition stores a model under a new id.
     * Errors: INVALID_ARGUMENT (a missing field, or one outside its limits; a request_id that was used with another
     * content); NOT_FOUND (the secret); ALREADY_EXISTS (the name is taken).
     * </pre>
     */
    public llmgateway.v1.CreateGatewayModelDefinitionResponse createGatewayModelDefinition(llmgateway.v1.CreateGatewayModelDefinitionRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getCreateGatewayModelDefinitionMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * GetGatewayModelDefinition reads one model definition.
     * Errors: INVALID_ARGUMENT (not exactly one of model_definition_id and name); NOT_FOUND.
     * </pre>
     */
    public llmgateway.v1.GetGatewayModelDefinitionResponse getGatewayModelDefinition(llmgateway.v1.GetGatewayModelDefinitionRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetGatewayModelDefinitionMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * ListGatewayModelDefinitions lists model definitions in order of creation, then of id.
     * Every page shows the list as it was when its first page was read.
     * Errors: INVALID_ARGUMENT (a page_size or page_token that is not valid); ABORTED (the list began more than 24
     * hours ago, and was changed since).
     * </pre>
     */
    public llmgateway.v1.ListGatewayModelDefinitionsResponse listGatewayModelDefinitions(llmgateway.v1.ListGatewayModelDefinitionsRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListGatewayModelDefinitionsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * UpdateGatewayModelDefinition changes the named fields of a model definition.
     * Errors: INVALID_ARGUMENT (a field outside its limits; an unknown update_mask path; clearing a required field; a
     * request_id that was used with another content); NOT_FOUND (the definition or its new secret); ALREADY_EXISTS (the
     * new name is taken); ABORTED (the etag is not the current one).
     * </pre>
     */
    public llmgateway.v1.UpdateGatewayModelDefinitionResponse updateGatewayModelDefinition(llmgateway.v1.UpdateGatewayModelDefinitionRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getUpdateGatewayModelDefinitionMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * DeleteGatewayModelDefinition removes a model definition that no endpoint uses.
     * Errors: INVALID_ARGUMENT (no model_definition_id; a request_id that was used with another content); NOT_FOUND;
     * FAILED_PRECONDITION (an endpoint uses it); ABORTED (the etag is not the current one).
     * </pre>
     */
    public llmgateway.v1.DeleteGatewayModelDefinitionResponse deleteGatewayModelDefinition(llmgateway.v1.DeleteGatewayModelDefinitionRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getDeleteGatewayModelDefinitionMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service ModelDefinitionService.
   * <pre>
   * ModelDefinitionService manages the models that endpoints route to.
   * </pre>
   */
  public static final class ModelDefinitionServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<ModelDefinitionServiceBlockingStub> {
    private ModelDefinitionServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ModelDefinitionServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ModelDefinitionServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * CreateGatewayModelDefinition stores a model under a new id.
     * Errors: INVALID_ARGUMENT (a missing field, or one outside its limits; a request_id that was used with another
     * content); NOT_FOUND (the secret); ALREADY_EXISTS (the name is taken).
     * </pre>
     */
    public llmgateway.v1.CreateGatewayModelDefinitionResponse createGatewayModelDefinition(llmgateway.v1.CreateGatewayModelDefinitionRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCreateGatewayModelDefinitionMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * GetGatewayModelDefinition reads one model definition.
     * Errors: INVALID_ARGUMENT (not exactly one of model_definition_id and name); NOT_FOUND.
     * </pre>
     */
    public llmgateway.v1.GetGatewayModelDefinitionResponse getGatewayModelDefinition(llmgateway.v1.GetGatewayModelDefinitionRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetGatewayModelDefinitionMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * ListGatewayModelDefinitions lists model definitions in order of creation, then of id.
     * Every page shows the list as it was when its first page was read.
     * Errors: INVALID_ARGUMENT (a page_size or page_token that is not valid); ABORTED (the list began more than 24
     * hours ago, and was changed since).
     * </pre>
     */
    public llmgateway.v1.ListGatewayModelDefinitionsResponse listGatewayModelDefinitions(llmgateway.v1.ListGatewayModelDefinitionsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListGatewayModelDefinitionsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * UpdateGatewayModelDefinition changes the named fields of a model definition.
     * Errors: INVALID_ARGUMENT (a field outside its limits; an unknown update_mask path; clearing a required field; a
     * request_id that was used with another content); NOT_FOUND (the definition or its new secret); ALREADY_EXISTS (the
     * new name is taken); ABORTED (the etag is not the current one).
     * </pre>
     */
    public llmgateway.v1.UpdateGatewayModelDefinitionResponse updateGatewayModelDefinition(llmgateway.v1.UpdateGatewayModelDefinitionRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getUpdateGatewayModelDefinitionMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * DeleteGatewayModelDefinition removes a model definition that no endpoint uses.
     * Errors: INVALID_ARGUMENT (no model_definition_id; a request_id that was used with another content); NOT_FOUND;
     * FAILED_PRECONDITION (an endpoint uses it); ABORTED (the etag is not the current one).
     * </pre>
     */
    public llmgateway.v1.DeleteGatewayModelDefinitionResponse deleteGatewayModelDefinition(llmgateway.v1.DeleteGatewayModelDefinitionRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDeleteGatewayModelDefinitionMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service ModelDefinitionService.
   * <pre>
   * ModelDefinitionService manages the models that endpoints route to.
   * </pre>
   */
  public static final class ModelDefinitionServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<ModelDefinitionServiceFutureStub> {
    private ModelDefinitionServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ModelDefinitionServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ModelDefinitionServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * CreateGatewayModelDefinition stores a model under a new id.
     * Errors: INVALID_ARGUMENT (a missing field, or one outside its limits; a request_id that was used with another
     * content); NOT_FOUND (the secret); ALREADY_EXISTS (the name is taken).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.CreateGatewayModelDefinitionResponse> createGatewayModelDefinition(
        llmgateway.v1.CreateGatewayModelDefinitionRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCreateGatewayModelDefinitionMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * GetGatewayModelDefinition reads one model definition.
     * Errors: INVALID_ARGUMENT (not exactly one of model_definition_id and name); NOT_FOUND.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.GetGatewayModelDefinitionResponse> getGatewayModelDefinition(
        llmgateway.v1.GetGatewayModelDefinitionRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetGatewayModelDefinitionMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * ListGatewayModelDefinitions lists model definitions in order of creation, then of id.
     * Every page shows the list as it was when its first page was read.
     * Errors: INVALID_ARGUMENT (a page_size or page_token that is not valid); ABORTED (the list began more than 24
     * hours ago, and was changed since).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.ListGatewayModelDefinitionsResponse> listGatewayModelDefinitions(
        llmgateway.v1.ListGatewayModelDefinitionsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListGatewayModelDefinitionsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * UpdateGatewayModelDefinition changes the named fields of a model definition.
     * Errors: INVALID_ARGUMENT (a field outside its limits; an unknown update_mask path; clearing a required field; a
     * request_id that was used with another content); NOT_FOUND (the definition or its new secret); ALREADY_EXISTS (the
     * new name is taken); ABORTED (the etag is not the current one).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.UpdateGatewayModelDefinitionResponse> updateGatewayModelDefinition(
        llmgateway.v1.UpdateGatewayModelDefinitionRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getUpdateGatewayModelDefinitionMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * DeleteGatewayModelDefinition removes a model definition that no endpoint uses.
     * Errors: INVALID_ARGUMENT (no model_definition_id; a request_id that was used with another content); NOT_FOUND;
     * FAILED_PRECONDITION (an endpoint uses it); ABORTED (the etag is not the current one).
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<llmgateway.v1.DeleteGatewayModelDefinitionResponse> deleteGatewayModelDefinition(
        llmgateway.v1.DeleteGatewayModelDefinitionRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDeleteGatewayModelDefinitionMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_CREATE_GATEWAY_MODEL_DEFINITION = 0;
  private static final int METHODID_GET_GATEWAY_MODEL_DEFINITION = 1;
  private static final int METHODID_LIST_GATEWAY_MODEL_DEFINITIONS = 2;
  private static final int METHODID_UPDATE_GATEWAY_MODEL_DEFINITION = 3;
  private static final int METHODID_DELETE_GATEWAY_MODEL_DEFINITION = 4;

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
        case METHODID_CREATE_GATEWAY_MODEL_DEFINITION:
          serviceImpl.createGatewayModelDefinition((llmgateway.v1.CreateGatewayModelDefinitionRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.CreateGatewayModelDefinitionResponse>) responseObserver);
          break;
        case METHODID_GET_GATEWAY_MODEL_DEFINITION:
          serviceImpl.getGatewayModelDefinition((llmgateway.v1.GetGatewayModelDefinitionRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.GetGatewayModelDefinitionResponse>) responseObserver);
          break;
        case METHODID_LIST_GATEWAY_MODEL_DEFINITIONS:
          serviceImpl.listGatewayModelDefinitions((llmgateway.v1.ListGatewayModelDefinitionsRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.ListGatewayModelDefinitionsResponse>) responseObserver);
          break;
        case METHODID_UPDATE_GATEWAY_MODEL_DEFINITION:
          serviceImpl.updateGatewayModelDefinition((llmgateway.v1.UpdateGatewayModelDefinitionRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.UpdateGatewayModelDefinitionResponse>) responseObserver);
          break;
        case METHODID_DELETE_GATEWAY_MODEL_DEFINITION:
          serviceImpl.deleteGatewayModelDefinition((llmgateway.v1.DeleteGatewayModelDefinitionRequest) request,
              (io.grpc.stub.StreamObserver<llmgateway.v1.DeleteGatewayModelDefinitionResponse>) responseObserver);
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
          getCreateGatewayModelDefinitionMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.CreateGatewayModelDefinitionRequest,
              llmgateway.v1.CreateGatewayModelDefinitionResponse>(
                service, METHODID_CREATE_GATEWAY_MODEL_DEFINITION)))
        .addMethod(
          getGetGatewayModelDefinitionMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.GetGatewayModelDefinitionRequest,
              llmgateway.v1.GetGatewayModelDefinitionResponse>(
                service, METHODID_GET_GATEWAY_MODEL_DEFINITION)))
        .addMethod(
          getListGatewayModelDefinitionsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.ListGatewayModelDefinitionsRequest,
              llmgateway.v1.ListGatewayModelDefinitionsResponse>(
                service, METHODID_LIST_GATEWAY_MODEL_DEFINITIONS)))
        .addMethod(
          getUpdateGatewayModelDefinitionMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.UpdateGatewayModelDefinitionRequest,
              llmgateway.v1.UpdateGatewayModelDefinitionResponse>(
                service, METHODID_UPDATE_GATEWAY_MODEL_DEFINITION)))
        .addMethod(
          getDeleteGatewayModelDefinitionMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              llmgateway.v1.DeleteGatewayModelDefinitionRequest,
              llmgateway.v1.DeleteGatewayModelDefinitionResponse>(
                service, METHODID_DELETE_GATEWAY_MODEL_DEFINITION)))
        .build();
  }

  private static abstract class ModelDefinitionServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    ModelDefinitionServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return llmgateway.v1.ModelDefinition.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("ModelDefinitionService");
    }
  }

  private static final class ModelDefinitionServiceFileDescriptorSupplier
      extends ModelDefinitionServiceBaseDescriptorSupplier {
    ModelDefinitionServiceFileDescriptorSupplier() {}
  }

  private static final class ModelDefinitionServiceMethodDescriptorSupplier
      extends ModelDefinitionServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    ModelDefinitionServiceMethodDescriptorSupplier(java.lang.String methodName) {
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
      synchronized (ModelDefinitionServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new ModelDefinitionServiceFileDescriptorSupplier())
              .addMethod(getCreateGatewayModelDefinitionMethod())
              .addMethod(getGetGatewayModelDefinitionMethod())
              .addMethod(getListGatewayModelDefinitionsMethod())
              .addMethod(getUpdateGatewayModelDefinitionMethod())
              .addMethod(getDeleteGatewayModelDefinitionMethod())
              .build();
        }
      }
    }
    return result;
  }
}
