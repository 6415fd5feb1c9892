// The testee in Go: protobuf-go for messages, grpc-go and connect-go for calls. The protocol: tests/interop/proto/testee.proto.
package main

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"gateway_entities/tests/interop/go/testeev1"
)

// Without Deterministic, the order of map entries is random.
var encoding = proto.MarshalOptions{Deterministic: true}

// The types of the contract, and those of a schema that was sent.
var (
	types  *dynamicpb.Types
	binary = proto.UnmarshalOptions{}
	json   = protojson.UnmarshalOptions{DiscardUnknown: true}
)

func main() {
	input, output := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	delimited := protodelim.UnmarshalOptions{MaxSize: -1}
	for {
		request := &testeev1.TesteeRequest{}
		if err := delimited.UnmarshalFrom(input, request); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			log.Fatal(err)
		}
		if _, err := protodelim.MarshalTo(output, answer(request)); err != nil {
			log.Fatal(err)
		}
		if err := output.Flush(); err != nil {
			log.Fatal(err)
		}
	}
}

func answer(request *testeev1.TesteeRequest) *testeev1.TesteeResponse {
	switch operation := request.GetOperation().(type) {
	case *testeev1.TesteeRequest_Call:
		return call(operation.Call)
	case *testeev1.TesteeRequest_Stream:
		return stream(operation.Stream)
	case *testeev1.TesteeRequest_Next:
		return next()
	case *testeev1.TesteeRequest_Cancel:
		return cancel()
	case *testeev1.TesteeRequest_Mirror:
		return mirror(operation.Mirror)
	}
	if schema, ok := request.GetOperation().(*testeev1.TesteeRequest_Schema); ok {
		if err := load(schema.Schema); err != nil {
			return unreadable(err)
		}
		return &testeev1.TesteeResponse{Result: &testeev1.TesteeResponse_Proto{Proto: []byte{}}}
	}
	kind, err := find(protoreflect.FullName(request.GetMessageType()))
	if err != nil {
		return unsupported("message type %q", request.GetMessageType())
	}
	message := kind.New().Interface()
	switch operation := request.GetOperation().(type) {
	case *testeev1.TesteeRequest_Decode:
		err = binary.Unmarshal(operation.Decode, message)
	case *testeev1.TesteeRequest_ToJson:
		err = binary.Unmarshal(operation.ToJson, message)
	case *testeev1.TesteeRequest_FromJson:
		err = json.Unmarshal([]byte(operation.FromJson), message)
	case *testeev1.TesteeRequest_Digest:
		err = binary.Unmarshal(operation.Digest, message)
	default:
		return unsupported("operation")
	}
	if err != nil {
		return unreadable(err)
	}
	if _, ok := request.GetOperation().(*testeev1.TesteeRequest_ToJson); ok {
		text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(message)
		if err != nil {
			return unreadable(err)
		}
		return &testeev1.TesteeResponse{Result: &testeev1.TesteeResponse_Json{Json: string(text)}}
	}
	data, err := encoding.Marshal(message)
	if err != nil {
		return unreadable(err)
	}
	if _, ok := request.GetOperation().(*testeev1.TesteeRequest_Digest); ok {
		return &testeev1.TesteeResponse{Result: &testeev1.TesteeResponse_Digest{Digest: fmt.Sprintf("%x", sha256.Sum256(data))}}
	}
	return &testeev1.TesteeResponse{Result: &testeev1.TesteeResponse_Proto{Proto: data}}
}

func load(data []byte) error {
	set := &descriptorpb.FileDescriptorSet{}
	if err := proto.Unmarshal(data, set); err != nil {
		return err
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		return err
	}
	types = dynamicpb.NewTypes(files)
	binary.Resolver, json.Resolver = types, types
	return nil
}

func find(name protoreflect.FullName) (protoreflect.MessageType, error) {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(name)
	if err != nil && types != nil {
		return types.FindMessageByName(name)
	}
	return kind, err
}

func unreadable(err error) *testeev1.TesteeResponse {
	// An error may quote its input.
	text := strings.ToValidUTF8(err.Error(), "\uFFFD")
	return &testeev1.TesteeResponse{Result: &testeev1.TesteeResponse_ParseError{ParseError: text}}
}

func unsupported(format string, arguments ...any) *testeev1.TesteeResponse {
	text := fmt.Sprintf("unsupported "+format, arguments...)
	return &testeev1.TesteeResponse{Result: &testeev1.TesteeResponse_Unsupported{Unsupported: text}}
}
