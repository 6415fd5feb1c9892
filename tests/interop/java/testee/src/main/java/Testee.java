import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.ExtensionRegistry;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Context;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServiceDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.ProtoFileDescriptorSupplier;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import testee.v1.Call;
import testee.v1.CallError;
import testee.v1.TesteeRequest;
import testee.v1.TesteeResponse;
import testee.v1.Updates;
import gatewayentities.v1.BindingServiceGrpc;
import gatewayentities.v1.BudgetServiceGrpc;
import gatewayentities.v1.ChangeServiceGrpc;
import gatewayentities.v1.ConfigurationServiceGrpc;
import gatewayentities.v1.ConvergenceServiceGrpc;
import gatewayentities.v1.EndpointServiceGrpc;
import gatewayentities.v1.GuardrailServiceGrpc;
import gatewayentities.v1.ModelDefinitionServiceGrpc;
import gatewayentities.v1.ResolutionServiceGrpc;
import gatewayentities.v1.SecretServiceGrpc;
import gatewayentities.v1.SpendServiceGrpc;
import gatewayentities.v1.WatchGatewayResponse;

/**
 * The testee of tests/interop/proto/testee.proto in Java, with protobuf-java and grpc-java as
 * programs use them.
 */
public final class Testee {
  private static final List<ServiceDescriptor> SERVICES =
      List.of(
          BindingServiceGrpc.getServiceDescriptor(),
          BudgetServiceGrpc.getServiceDescriptor(),
          ChangeServiceGrpc.getServiceDescriptor(),
          ConfigurationServiceGrpc.getServiceDescriptor(),
          ConvergenceServiceGrpc.getServiceDescriptor(),
          EndpointServiceGrpc.getServiceDescriptor(),
          GuardrailServiceGrpc.getServiceDescriptor(),
          ModelDefinitionServiceGrpc.getServiceDescriptor(),
          ResolutionServiceGrpc.getServiceDescriptor(),
          SecretServiceGrpc.getServiceDescriptor(),
          SpendServiceGrpc.getServiceDescriptor());
  private static final String GRPC = "grpc://";
  private static final JsonFormat.Printer PRINTER =
      JsonFormat.printer().preservingProtoFieldNames();

  // The types of the contract, and those of a schema that was sent.
  private final ExtensionRegistry extensions = ExtensionRegistry.newInstance();
  private JsonFormat.Parser parser = JsonFormat.parser().ignoringUnknownFields();

  private final Map<String, Message> messages = new HashMap<>();
  private final Map<String, MethodDescriptor<?, ?>> methods = new HashMap<>();
  private final Map<String, ManagedChannel> channels = new HashMap<>();
  private Iterator<?> stream = Collections.emptyIterator();
  private Context.CancellableContext streamContext = Context.ROOT.withCancellation();

  public static void main(String[] arguments) throws IOException, ReflectiveOperationException {
    Testee testee = new Testee();
    InputStream requests = new BufferedInputStream(System.in, 1 << 16);
    OutputStream responses = new BufferedOutputStream(System.out, 1 << 16);
    for (TesteeRequest request; (request = TesteeRequest.parseDelimitedFrom(requests)) != null; ) {
      testee.answer(request).writeDelimitedTo(responses);
      responses.flush();
    }
    testee.channels.values().forEach(ManagedChannel::shutdownNow);
  }

  /** Finds every message in the files of the services, and every method. */
  private Testee() throws ReflectiveOperationException {
    for (ServiceDescriptor service : SERVICES) {
      service.getMethods().forEach(method -> methods.put("/" + method.getFullMethodName(), method));
      FileDescriptor file =
          ((ProtoFileDescriptorSupplier) service.getSchemaDescriptor()).getFileDescriptor();
      for (Descriptor type : file.getMessageTypes()) {
        Class<?> generated =
            Class.forName(file.getOptions().getJavaPackage() + "." + type.getName());
        messages.put(
            type.getFullName(), (Message) generated.getMethod("getDefaultInstance").invoke(null));
      }
    }
  }

  private TesteeResponse answer(TesteeRequest request) {
    switch (request.getOperationCase()) {
      case CALL:
        return call(request.getCall());
      case STREAM:
        return stream(request.getStream());
      case NEXT:
        return next();
      case CANCEL:
        return cancel();
      case MIRROR:
        return mirror(request.getMirror());
      default:
    }
    if (request.hasSchema()) {
      return load(request.getSchema());
    }
    Message type = messages.get(request.getMessageType());
    if (type == null) {
      return unsupported("message type " + request.getMessageType());
    }
    TesteeResponse.Builder response = TesteeResponse.newBuilder();
    try {
      return switch (request.getOperationCase()) {
        case DECODE ->
            response
                .setProto(type.getParserForType().parseFrom(request.getDecode(), extensions).toByteString())
                .build();
        case TO_JSON ->
            response
                .setJson(PRINTER.print(type.getParserForType().parseFrom(request.getToJson())))
                .build();
        case FROM_JSON -> {
          Message.Builder message = type.newBuilderForType();
          parser.merge(request.getFromJson(), message);
          yield response.setProto(message.build().toByteString()).build();
        }
        case DIGEST ->
            response
                .setDigest(digest(type.getParserForType().parseFrom(request.getDigest())))
                .build();
        default -> unsupported("operation " + request.getOperationCase());
      };
    } catch (InvalidProtocolBufferException error) {
      return TesteeResponse.newBuilder().setParseError(String.valueOf(error.getMessage())).build();
    }
  }

  private TesteeResponse load(ByteString schema) {
    Map<String, FileDescriptor> files = new HashMap<>();
    JsonFormat.TypeRegistry.Builder types = JsonFormat.TypeRegistry.newBuilder();
    try {
      for (FileDescriptorProto file : FileDescriptorSet.parseFrom(schema).getFileList()) {
        FileDescriptor[] imports =
            file.getDependencyList().stream().map(files::get).toArray(FileDescriptor[]::new);
        FileDescriptor built = FileDescriptor.buildFrom(file, imports);
        files.put(file.getName(), built);
        types.add(built.getMessageTypes());
        built.getMessageTypes().forEach(this::addDynamic);
        built.getExtensions().forEach(this::addExtension);
      }
    } catch (InvalidProtocolBufferException | DescriptorValidationException error) {
      return TesteeResponse.newBuilder().setParseError(String.valueOf(error.getMessage())).build();
    }
    parser = JsonFormat.parser().ignoringUnknownFields().usingTypeRegistry(types.build());
    return TesteeResponse.newBuilder().setProto(ByteString.EMPTY).build();
  }

  private void addDynamic(Descriptor type) {
    messages.putIfAbsent(type.getFullName(), DynamicMessage.getDefaultInstance(type));
    type.getNestedTypes().forEach(this::addDynamic);
    type.getExtensions().forEach(this::addExtension);
  }

  private void addExtension(FieldDescriptor extension) {
    if (extension.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
      extensions.add(extension, DynamicMessage.getDefaultInstance(extension.getMessageType()));
    } else {
      extensions.add(extension);
    }
  }

  private static String digest(Message message) {
    byte[] bytes = new byte[message.getSerializedSize()];
    CodedOutputStream output = CodedOutputStream.newInstance(bytes);
    output.useDeterministicSerialization();
    try {
      message.writeTo(output);
    } catch (IOException impossible) {
      throw new AssertionError(impossible);
    }
    return hex(sha256().digest(bytes));
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException impossible) {
      throw new AssertionError(impossible);
    }
  }

  /** The digest of the resources, as AcknowledgeGatewayRevisionRequest describes it. */
  private static TesteeResponse mirror(Updates updates) {
    Map<String, String> etags = new HashMap<>();
    boolean whole = true;
    try {
      for (ByteString data : updates.getMessagesList()) {
        WatchGatewayResponse update = WatchGatewayResponse.parseFrom(data);
        // A snapshot replaces everything, in its first part.
        if (whole && update.getIsSnapshot()) {
          etags.clear();
        }
        whole = !update.getIsPartial();
        update.getRemovedList().forEach(each -> etags.remove(each.getNoun() + " " + each.getId()));
        update
            .getResourcesList()
            .forEach(
                each -> etags.put(each.getNoun() + " " + each.getId(), each.getContentEtag()));
      }
    } catch (InvalidProtocolBufferException error) {
      return TesteeResponse.newBuilder().setParseError(String.valueOf(error.getMessage())).build();
    }
    MessageDigest digest = sha256();
    etags.entrySet().stream()
        .map(each -> (each.getKey() + " " + each.getValue() + "\n").getBytes(UTF_8))
        // By bytes: Java compares strings by UTF-16 units.
        .sorted(Arrays::compareUnsigned)
        .forEach(digest::update);
    return TesteeResponse.newBuilder().setDigest(hex(digest.digest())).build();
  }

  private TesteeResponse call(Call call) {
    MethodDescriptor<?, ?> method = methods.get(call.getPath());
    if (method == null || !call.getTarget().startsWith(GRPC)) {
      return unsupported("method " + call.getPath() + " or target " + call.getTarget());
    }
    return call(method, call);
  }

  private <Q, A> TesteeResponse call(MethodDescriptor<Q, A> method, Call call) {
    try {
      Q request = method.parseRequest(call.getRequest().newInput());
      A answer = ClientCalls.blockingUnaryCall(channel(call), method, options(call), request);
      return message(answer);
    } catch (StatusRuntimeException error) {
      return failed(error);
    }
  }

  private TesteeResponse stream(Call call) {
    cancel();
    MethodDescriptor<?, ?> method = methods.get(call.getPath());
    if (method == null || !call.getTarget().startsWith(GRPC)) {
      return unsupported("method " + call.getPath() + " or target " + call.getTarget());
    }
    streamContext = Context.ROOT.withCancellation();
    streamContext.run(() -> stream = begin(method, call));
    return next();
  }

  private <Q, A> Iterator<A> begin(MethodDescriptor<Q, A> method, Call call) {
    Q request = method.parseRequest(call.getRequest().newInput());
    return ClientCalls.blockingServerStreamingCall(channel(call), method, options(call), request);
  }

  private TesteeResponse next() {
    try {
      return stream.hasNext() ? message(stream.next()) : ended();
    } catch (StatusRuntimeException error) {
      return failed(error);
    }
  }

  private TesteeResponse cancel() {
    streamContext.cancel(null);
    stream = Collections.emptyIterator();
    return ended();
  }

  private static TesteeResponse message(Object message) {
    return TesteeResponse.newBuilder().setProto(((Message) message).toByteString()).build();
  }

  private static TesteeResponse ended() {
    return TesteeResponse.newBuilder().setEnded(true).build();
  }

  private static TesteeResponse failed(StatusRuntimeException error) {
    CallError.Builder told = CallError.newBuilder().setCode(error.getStatus().getCode().value());
    if (error.getStatus().getDescription() != null) {
      told.setMessage(error.getStatus().getDescription());
    }
    // Null without the trailer of details.
    com.google.rpc.Status status = StatusProto.fromThrowable(error);
    if (status != null) {
      told.addAllDetails(status.getDetailsList());
    }
    return TesteeResponse.newBuilder().setCallError(told).build();
  }

  private static CallOptions options(Call call) {
    return call.hasTimeoutMs()
        ? CallOptions.DEFAULT.withDeadlineAfter(call.getTimeoutMs(), TimeUnit.MILLISECONDS)
        : CallOptions.DEFAULT;
  }

  private Channel channel(Call call) {
    Metadata metadata = new Metadata();
    call.getMetadataMap()
        .forEach(
            (name, value) ->
                metadata.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value));
    return ClientInterceptors.intercept(
        channel(call.getTarget()), MetadataUtils.newAttachHeadersInterceptor(metadata));
  }

  private ManagedChannel channel(String target) {
    return channels.computeIfAbsent(
        target.substring(GRPC.length()),
        place -> Grpc.newChannelBuilder(place, InsecureChannelCredentials.create()).build());
  }

  private static TesteeResponse unsupported(String what) {
    return TesteeResponse.newBuilder().setUnsupported(what).build();
  }
}
