// The testee in C++: the generated classes by their descriptors, json_util for JSON, a generic stub for calls.

#include <chrono>
#include <cstdio>
#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <set>
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

#include "gatewayentities/v1/change.pb.h"
#include "google/rpc/status.pb.h"
#include "testee.pb.h"

namespace pb = google::protobuf;
using testee::v1::Call;
using testee::v1::CallError;
using testee::v1::TesteeRequest;
using testee::v1::TesteeResponse;
using testee::v1::Updates;

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

std::string Sha256(const std::string& bytes) {
  unsigned char hash[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), hash);
  std::string digest;
  for (unsigned char byte : hash) {
    constexpr char digits[] = "0123456789abcdef";
    digest += {digits[byte >> 4], digits[byte & 15]};
  }
  return digest;
}

std::string Digest(const pb::Message& message) {
  std::string bytes;
  {
    pb::io::StringOutputStream stream(&bytes);
    pb::io::CodedOutputStream output(&stream);
    output.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&output);
  }
  return Sha256(bytes);
}
// The digest of the resources after these updates, as AcknowledgeGatewayRevisionRequest describes it.
std::string Mirror(const Updates& updates) {
  std::map<std::string, std::string> etags;
  bool whole = true;
  for (const std::string& data : updates.messages()) {
    gatewayentities::v1::WatchGatewayResponse update;
    Parse(data, &update);
    // A snapshot replaces everything, in its first part.
    if (whole && update.is_snapshot()) etags.clear();
    whole = !update.is_partial();
    for (const auto& each : update.removed()) etags.erase(each.noun() + " " + each.id());
    for (const auto& each : update.resources()) etags[each.noun() + " " + each.id()] = each.content_etag();
  }
  std::set<std::string> lines;
  for (const auto& [key, etag] : etags) lines.insert(key + " " + etag + "\n");
  std::string text;
  for (const std::string& line : lines) text += line;
  return Sha256(text);
}

using Stub = grpc::TemplatedGenericStub<pb::Message, pb::Message>;

// What a call of either kind needs.
struct Prepared {
  explicit Prepared(const Call& call) {
    const std::string scheme = "grpc://";
    if (call.target().rfind(scheme, 0) != 0) throw Unsupported("target " + call.target());
    std::string name = call.path().substr(call.path().find('/') + 1);
    if (auto slash = name.find('/'); slash != std::string::npos) name[slash] = '.';
    const auto* method = pb::DescriptorPool::generated_pool()->FindMethodByName(name);
    if (method == nullptr) throw Unsupported("method " + call.path());
    request = Empty(method->input_type());
    answer = Empty(method->output_type());
    Parse(call.request(), request.get());
    if (call.has_timeout_ms()) {
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(call.timeout_ms()));
    }
    for (const auto& [key, value] : call.metadata()) context.AddMetadata(key, value);
    stub = std::make_unique<Stub>(
        grpc::CreateChannel(call.target().substr(scheme.size()), grpc::InsecureChannelCredentials()));
  }

  std::unique_ptr<pb::Message> request, answer;
  grpc::ClientContext context;
  std::unique_ptr<Stub> stub;
};

void SetError(const grpc::Status& status, TesteeResponse* response) {
  CallError* error = response->mutable_call_error();
  error->set_code(status.error_code());
  error->set_message(status.error_message());
  // Malformed details are ignored: the error itself is still reported.
  if (google::rpc::Status details; details.ParseFromString(status.error_details())) {
    error->mutable_details()->Swap(details.mutable_details());
  }
}

void MakeCall(const Call& call, TesteeResponse* response) {
  Prepared prepared(call);
  std::promise<grpc::Status> done;
  prepared.stub->UnaryCall(&prepared.context, call.path(), {}, prepared.request.get(), prepared.answer.get(),
                           [&done](grpc::Status status) { done.set_value(std::move(status)); });
  const grpc::Status status = done.get_future().get();
  if (!status.ok()) return SetError(status, response);
  response->set_proto(prepared.answer->SerializeAsString());
}

// A stream, one operation at a time.
class Stream {
 public:
  explicit Stream(const Call& call) : prepared_(call) {
    stream_ = prepared_.stub->PrepareCall(&prepared_.context, call.path(), &queue_);
    stream_->StartCall(nullptr);
    // What fails here fails again in the first Read.
    if (!Done()) return;
    stream_->WriteLast(*prepared_.request, grpc::WriteOptions(), nullptr);
    Done();
  }

  // At its end every operation is done, so the queue is empty.
  ~Stream() {
    prepared_.context.TryCancel();
    if (!finished_) Finish();
  }

  void Next(TesteeResponse* response) {
    if (!finished_) {
      stream_->Read(prepared_.answer.get(), nullptr);
      if (Done()) return response->set_proto(prepared_.answer->SerializeAsString());
    }
    const grpc::Status status = finished_ ? grpc::Status::OK : Finish();
    if (!status.ok()) return SetError(status, response);
    response->set_ended(true);
  }

 private:
  bool Done() {
    void* tag;
    bool succeeded = false;
    return queue_.Next(&tag, &succeeded) && succeeded;
  }

  grpc::Status Finish() {
    grpc::Status status;
    stream_->Finish(&status, nullptr);
    Done();
    finished_ = true;
    return status;
  }

  Prepared prepared_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<pb::Message, pb::Message>> stream_;
  bool finished_ = false;
};

std::unique_ptr<Stream> current;

void Next(TesteeResponse* response) {
  if (current == nullptr) return response->set_ended(true);
  current->Next(response);
}

void Answer(const TesteeRequest& request, TesteeResponse* response) {
  switch (request.operation_case()) {
    case TesteeRequest::kCall:
      return MakeCall(request.call(), response);
    case TesteeRequest::kStream:
      current.reset();
      current = std::make_unique<Stream>(request.stream());
      return Next(response);
    case TesteeRequest::kNext:
      return Next(response);
    case TesteeRequest::kCancel:
      current.reset();
      return response->set_ended(true);
    case TesteeRequest::kMirror:
      return response->set_digest(Mirror(request.mirror()));
    default:
      break;
  }
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
    if (!pb::util::ParseDelimitedFromZeroCopyStream(&request, &input, &ended)) {
      current.reset();
      return ended ? 0 : 1;
    }
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
