// The testee in C++: the generated classes by their descriptors, json_util for JSON, a generic stub for calls.

#include <chrono>
#include <cstdio>
#include <future>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/delimited_message_util.h>
#include <google/protobuf/util/json_util.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <openssl/sha.h>

#include "google/rpc/status.pb.h"
#include "testee.pb.h"

namespace pb = google::protobuf;
using testee::v1::Call;
using testee::v1::CallError;
using testee::v1::TesteeRequest;
using testee::v1::TesteeResponse;

namespace {

struct ParseError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Unsupported : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::unique_ptr<pb::Message> Empty(const pb::Descriptor* type) {
  return std::unique_ptr<pb::Message>(pb::MessageFactory::generated_factory()->GetPrototype(type)->New());
}

std::unique_ptr<pb::Message> Empty(const std::string& type_name) {
  const auto* type = pb::DescriptorPool::generated_pool()->FindMessageTypeByName(type_name);
  if (type == nullptr) throw Unsupported("message type " + type_name);
  return Empty(type);
}

void Parse(const std::string& bytes, pb::Message* message) {
  if (!message->ParseFromString(bytes)) throw ParseError("these bytes are no " + message->GetTypeName());
}

void Check(const pb::util::Status& status) {
  if (!status.ok()) throw ParseError(status.ToString());
}

std::string Digest(const pb::Message& message) {
  std::string bytes;
  {
    pb::io::StringOutputStream stream(&bytes);
    pb::io::CodedOutputStream output(&stream);
    output.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&output);
  }
  unsigned char hash[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), hash);
  std::string digest;
  for (unsigned char byte : hash) {
    constexpr char digits[] = "0123456789abcdef";
    digest += {digits[byte >> 4], digits[byte & 15]};
  }
  return digest;
}

void MakeCall(const Call& call, TesteeResponse* response) {
  const std::string scheme = "grpc://";
  if (call.target().rfind(scheme, 0) != 0) throw Unsupported("target " + call.target());
  std::string name = call.path().substr(call.path().find('/') + 1);
  if (auto slash = name.find('/'); slash != std::string::npos) name[slash] = '.';
  const auto* method = pb::DescriptorPool::generated_pool()->FindMethodByName(name);
  if (method == nullptr) throw Unsupported("method " + call.path());
  auto request = Empty(method->input_type());
  auto answer = Empty(method->output_type());
  Parse(call.request(), request.get());

  grpc::ClientContext context;
  if (call.has_timeout_ms()) {
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(call.timeout_ms()));
  }
  auto channel = grpc::CreateChannel(call.target().substr(scheme.size()), grpc::InsecureChannelCredentials());
  grpc::TemplatedGenericStub<pb::Message, pb::Message> stub(channel);
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, call.path(), {}, request.get(), answer.get(),
                 [&done](grpc::Status status) { done.set_value(std::move(status)); });
  const grpc::Status status = done.get_future().get();

  if (status.ok()) {
    response->set_proto(answer->SerializeAsString());
    return;
  }
  CallError* error = response->mutable_call_error();
  error->set_code(status.error_code());
  error->set_message(status.error_message());
  // Malformed details are ignored: the error itself is still reported.
  if (google::rpc::Status details; details.ParseFromString(status.error_details())) {
    error->mutable_details()->Swap(details.mutable_details());
  }
}

void Answer(const TesteeRequest& request, TesteeResponse* response) {
  if (request.operation_case() == TesteeRequest::kCall) return MakeCall(request.call(), response);
  auto message = Empty(request.message_type());
  switch (request.operation_case()) {
    case TesteeRequest::kDecode:
      Parse(request.decode(), message.get());
      response->set_proto(message->SerializeAsString());
      break;
    case TesteeRequest::kToJson: {
      Parse(request.to_json(), message.get());
      pb::util::JsonPrintOptions options;
      options.preserve_proto_field_names = true;
      Check(pb::util::MessageToJsonString(*message, response->mutable_json(), options));
      break;
    }
    case TesteeRequest::kFromJson: {
      pb::util::JsonParseOptions options;
      options.ignore_unknown_fields = true;
      Check(pb::util::JsonStringToMessage(request.from_json(), message.get(), options));
      response->set_proto(message->SerializeAsString());
      break;
    }
    case TesteeRequest::kDigest:
      Parse(request.digest(), message.get());
      response->set_digest(Digest(*message));
      break;
    default:
      throw Unsupported("operation");
  }
}

}  // namespace

int main() {
  // The libraries log their errors on standard error too.
  pb::SetLogHandler(nullptr);
  pb::io::FileInputStream input(fileno(stdin));
  for (;;) {
    TesteeRequest request;
    bool ended = false;
    if (!pb::util::ParseDelimitedFromZeroCopyStream(&request, &input, &ended)) return ended ? 0 : 1;
    TesteeResponse response;
    try {
      Answer(request, &response);
    } catch (const ParseError& error) {
      response.set_parse_error(error.what());
    } catch (const Unsupported& what) {
      response.set_unsupported(what.what());
    }
    pb::util::SerializeDelimitedToOstream(response, &std::cout);
    std::cout.flush();
  }
}
