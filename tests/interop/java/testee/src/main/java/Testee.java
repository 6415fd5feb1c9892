import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import io.grpc.CallOptions;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.ServiceDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.ProtoFileDescriptorSupplier;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ClientCalls;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import testee.v1.Call;
import testee.v1.CallError;
import testee.v1.TesteeRequest;
import testee.v1.TesteeResponse;
import gatewayentities.v1.BindingServiceGrpc;
import gatewayentities.v1.BudgetServiceGrpc;
import gatewayentities.v1.ChangeServiceGrpc;
import gatewayentities.v1.EndpointServiceGrpc;
import gatewayentities.v1.ModelDefinitionServiceGrpc;
import gatewayentities.v1.SecretServiceGrpc;

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
          EndpointServiceGrpc.getServiceDescriptor(),
          ModelDefinitionServiceGrpc.getServiceDescriptor(),
          SecretServiceGrpc.getServiceDescriptor());
  private static final String GRPC = "grpc://";
  private static final JsonFormat.Printer PRINTER =
      JsonFormat.printer().preservingProtoFieldNames();
  private static final JsonFormat.Parser PARSER = JsonFormat.parser().ignoringUnknownFields();

  private final Map<String, Message> messages = new HashMap<>();
  private final Map<String, MethodDescriptor<?, ?>> methods = new HashMap<>();
  private final Map<String, ManagedChannel> channels = new HashMap<>();

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
    if (request.hasCall()) {
      return call(request.getCall());
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
                .setProto(type.getParserForType().parseFrom(request.getDecode()).toByteString())
                .build();
        case TO_JSON ->
            response
                .setJson(PRINTER.print(type.getParserForType().parseFrom(request.getToJson())))
                .build();
        case FROM_JSON -> {
          Message.Builder message = type.newBuilderForType();
          PARSER.merge(request.getFromJson(), message);
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

  private static String digest(Message message) {
    byte[] bytes = new byte[message.getSerializedSize()];
    CodedOutputStream output = CodedOutputStream.newInstance(bytes);
    output.useDeterministicSerialization();
    try {
      message.writeTo(output);
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (IOException | NoSuchAlgorithmException impossible) {
      throw new AssertionError(impossible);
    }
  }

  private TesteeResponse call(Call call) {
    if (!call.getTarget().startsWith(GRPC)) {
      return unsupported("target " + call.getTarget());
    }
    MethodDescriptor<?, ?> method = methods.get(call.getPath());
    return method == null ? unsupported("method " + call.getPath()) : call(method, call);
  }

  private <Q, A> TesteeResponse call(MethodDescriptor<Q, A> method, Call call) {
    CallOptions options = CallOptions.DEFAULT;
    if (call.hasTimeoutMs()) {
      options = options.withDeadlineAfter(call.getTimeoutMs(), TimeUnit.MILLISECONDS);
    }
    TesteeResponse.Builder response = TesteeResponse.newBuilder();
    try {
      Q request = method.parseRequest(call.getRequest().newInput());
      A answer = ClientCalls.blockingUnaryCall(channel(call.getTarget()), method, options, request);
      return response.setProto(((Message) answer).toByteString()).build();
    } catch (StatusRuntimeException error) {
      CallError.Builder told = CallError.newBuilder().setCode(error.getStatus().getCode().value());
      if (error.getStatus().getDescription() != null) {
        told.setMessage(error.getStatus().getDescription());
      }
      // Null without the trailer of details.
      com.google.rpc.Status status = StatusProto.fromThrowable(error);
      if (status != null) {
        told.addAllDetails(status.getDetailsList());
      }
      return response.setCallError(told).build();
    }
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
