package main

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	gatewayentitiesv1 "gateway_entities/gen/go/gatewayentities/v1"
	"gateway_entities/gen/go/gatewayentities/v1/gatewayentitiesv1connect"
	"gateway_entities/tests/interop/go/testeev1"
)

// Channels are reused, one for each target.
var channels = map[string]*grpc.ClientConn{}

func call(request *testeev1.Call) *testeev1.TesteeResponse {
	ctx, cancel := within(request)
	defer cancel()
	result, refused := begin(ctx, request)
	if refused != nil {
		return refused
	}
	return message(result.(proto.Message))
}

// begin calls the method of a generated client. It returns a response or a stream, or why there is none.
func begin(ctx context.Context, request *testeev1.Call) (any, *testeev1.TesteeResponse) {
	service, name, _ := strings.Cut(strings.TrimPrefix(request.GetPath(), "/"), "/")
	client := clients(request)[service]
	if client == nil {
		return nil, unsupported("service %q or target %q", service, request.GetTarget())
	}
	// Every generated client has func (ctx, *Request, ...) (*Response or stream, error) for each method.
	method := reflect.ValueOf(client).MethodByName(name)
	if !method.IsValid() || method.Type().NumIn() < 2 || method.Type().NumOut() != 2 {
		return nil, unsupported("method %q", request.GetPath())
	}
	message := reflect.New(method.Type().In(1).Elem())
	if err := proto.Unmarshal(request.GetRequest(), message.Interface().(proto.Message)); err != nil {
		return nil, unreadable(err)
	}
	results := method.Call([]reflect.Value{reflect.ValueOf(ctx), message})
	if err, ok := results[1].Interface().(error); ok {
		return nil, failed(err)
	}
	return results[0].Interface(), nil
}

// within returns the context of a call, with its deadline and its metadata for either library.
func within(request *testeev1.Call) (context.Context, context.CancelFunc) {
	ctx, headers := connect.NewClientContext(context.Background())
	for name, value := range request.GetMetadata() {
		ctx = metadata.AppendToOutgoingContext(ctx, name, value)
		headers.RequestHeader().Set(name, value)
	}
	if request.TimeoutMs != nil {
		return context.WithTimeout(ctx, time.Duration(request.GetTimeoutMs())*time.Millisecond)
	}
	return context.WithCancel(ctx)
}

func message(found proto.Message) *testeev1.TesteeResponse {
	data, err := encoding.Marshal(found)
	if err != nil {
		return unreadable(err)
	}
	return &testeev1.TesteeResponse{Result: &testeev1.TesteeResponse_Proto{Proto: data}}
}

// clients returns the client of each service, for the scheme of the call's target.
func clients(request *testeev1.Call) map[string]any {
	target := request.GetTarget()
	if address, ok := strings.CutPrefix(target, "grpc://"); ok {
		if channels[address] == nil {
			channel, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
			if err != nil {
				return nil
			}
			channels[address] = channel
		}
		channel := channels[address]
		return map[string]any{
			gatewayentitiesv1.BindingService_ServiceDesc.ServiceName:         gatewayentitiesv1.NewBindingServiceClient(channel),
			gatewayentitiesv1.BudgetService_ServiceDesc.ServiceName:          gatewayentitiesv1.NewBudgetServiceClient(channel),
			gatewayentitiesv1.ChangeService_ServiceDesc.ServiceName:          gatewayentitiesv1.NewChangeServiceClient(channel),
			gatewayentitiesv1.ConfigurationService_ServiceDesc.ServiceName:   gatewayentitiesv1.NewConfigurationServiceClient(channel),
			gatewayentitiesv1.ConvergenceService_ServiceDesc.ServiceName:     gatewayentitiesv1.NewConvergenceServiceClient(channel),
			gatewayentitiesv1.EndpointService_ServiceDesc.ServiceName:        gatewayentitiesv1.NewEndpointServiceClient(channel),
			gatewayentitiesv1.GuardrailService_ServiceDesc.ServiceName:       gatewayentitiesv1.NewGuardrailServiceClient(channel),
			gatewayentitiesv1.ModelDefinitionService_ServiceDesc.ServiceName: gatewayentitiesv1.NewModelDefinitionServiceClient(channel),
			gatewayentitiesv1.ResolutionService_ServiceDesc.ServiceName:      gatewayentitiesv1.NewResolutionServiceClient(channel),
			gatewayentitiesv1.SecretService_ServiceDesc.ServiceName:          gatewayentitiesv1.NewSecretServiceClient(channel),
			gatewayentitiesv1.SpendService_ServiceDesc.ServiceName:           gatewayentitiesv1.NewSpendServiceClient(channel),
		}
	}
	if !strings.HasPrefix(target, "http://") {
		return nil
	}
	var options []connect.ClientOption
	if request.GetJson() {
		options = append(options, connect.WithProtoJSON())
	}
	return map[string]any{
		gatewayentitiesv1connect.BindingServiceName:         gatewayentitiesv1connect.NewBindingServiceClient(http.DefaultClient, target, options...),
		gatewayentitiesv1connect.BudgetServiceName:          gatewayentitiesv1connect.NewBudgetServiceClient(http.DefaultClient, target, options...),
		gatewayentitiesv1connect.ChangeServiceName:          gatewayentitiesv1connect.NewChangeServiceClient(http.DefaultClient, target, options...),
		gatewayentitiesv1connect.ConfigurationServiceName:   gatewayentitiesv1connect.NewConfigurationServiceClient(http.DefaultClient, target, options...),
		gatewayentitiesv1connect.ConvergenceServiceName:     gatewayentitiesv1connect.NewConvergenceServiceClient(http.DefaultClient, target, options...),
		gatewayentitiesv1connect.EndpointServiceName:        gatewayentitiesv1connect.NewEndpointServiceClient(http.DefaultClient, target, options...),
		gatewayentitiesv1connect.GuardrailServiceName:       gatewayentitiesv1connect.NewGuardrailServiceClient(http.DefaultClient, target, options...),
		gatewayentitiesv1connect.ModelDefinitionServiceName: gatewayentitiesv1connect.NewModelDefinitionServiceClient(http.DefaultClient, target, options...),
		gatewayentitiesv1connect.ResolutionServiceName:      gatewayentitiesv1connect.NewResolutionServiceClient(http.DefaultClient, target, options...),
		gatewayentitiesv1connect.SecretServiceName:          gatewayentitiesv1connect.NewSecretServiceClient(http.DefaultClient, target, options...),
		gatewayentitiesv1connect.SpendServiceName:           gatewayentitiesv1connect.NewSpendServiceClient(http.DefaultClient, target, options...),
	}
}

// failed returns the client library's error of a call.
func failed(err error) *testeev1.TesteeResponse {
	return &testeev1.TesteeResponse{Result: &testeev1.TesteeResponse_CallError{CallError: failure(err)}}
}

func failure(err error) *testeev1.CallError {
	if failed := new(connect.Error); errors.As(err, &failed) {
		found := &testeev1.CallError{Code: proto.Int32(int32(failed.Code())), Message: proto.String(failed.Message())}
		for _, detail := range failed.Details() {
			found.Details = append(found.Details, &anypb.Any{TypeUrl: "type.googleapis.com/" + detail.Type(), Value: detail.Bytes()})
		}
		return found
	}
	described := status.Convert(err).Proto()
	return &testeev1.CallError{Code: proto.Int32(described.GetCode()), Message: proto.String(described.GetMessage()), Details: described.GetDetails()}
}
