// A gateway in Go, in memory, on the generated interfaces of grpc-go and connect-go. It serves the tests of the Python
// clients and shares no code with the Python server. It prints its two targets, and exits at the end of its standard input.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	pb "gateway_entities/gen/go/gatewayentities/v1"
	"gateway_entities/gen/go/gatewayentities/v1/gatewayentitiesv1connect"
)

func main() {
	served := &gateway{values: map[string]map[string]string{}, changed: make(chan struct{})}
	forGRPC, forHTTP := listen(), listen()
	go serveGRPC(served, forGRPC)
	go serveHTTP(served, forHTTP)
	fmt.Printf("grpc://%s http://%s\n", forGRPC.Addr(), forHTTP.Addr())
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		log.Fatal(err)
	}
}

func listen() net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	return listener
}

func serveGRPC(served *gateway, listener net.Listener) {
	server := grpc.NewServer(grpc.UnaryInterceptor(served.alone))
	pb.RegisterBindingServiceServer(server, served)
	pb.RegisterBudgetServiceServer(server, served)
	pb.RegisterChangeServiceServer(server, overGRPC{gateway: served})
	pb.RegisterEndpointServiceServer(server, served)
	pb.RegisterModelDefinitionServiceServer(server, served)
	pb.RegisterResolutionServiceServer(server, served)
	pb.RegisterSecretServiceServer(server, served)
	log.Fatal(server.Serve(listener))
}

func serveHTTP(served *gateway, listener net.Listener) {
	options := connect.WithInterceptors(connect.UnaryInterceptorFunc(served.aloneOverConnect))
	routes := http.NewServeMux()
	routes.Handle(gatewayentitiesv1connect.NewBindingServiceHandler(served, options))
	routes.Handle(gatewayentitiesv1connect.NewBudgetServiceHandler(served, options))
	routes.Handle(gatewayentitiesv1connect.NewChangeServiceHandler(overConnect{gateway: served}, options))
	routes.Handle(gatewayentitiesv1connect.NewEndpointServiceHandler(served, options))
	routes.Handle(gatewayentitiesv1connect.NewModelDefinitionServiceHandler(served, options))
	routes.Handle(gatewayentitiesv1connect.NewResolutionServiceHandler(served, options))
	routes.Handle(gatewayentitiesv1connect.NewSecretServiceHandler(served, options))
	log.Fatal(http.Serve(listener, routes))
}

// alone runs one method at a time.
func (g *gateway) alone(ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	g.lock.Lock()
	defer g.lock.Unlock()
	defer g.publish()
	return next(ctx, request)
}

// aloneOverConnect does the same for connect-go: it passes the headers as grpc-go does, and converts the error.
func (g *gateway) aloneOverConnect(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, request connect.AnyRequest) (connect.AnyResponse, error) {
		headers := metadata.MD{}
		for key, values := range request.Header() {
			headers[strings.ToLower(key)] = values
		}
		g.lock.Lock()
		defer g.lock.Unlock()
		defer g.publish()
		response, err := next(metadata.NewIncomingContext(ctx, headers), request)
		return response, asConnect(err)
	}
}

// asConnect returns an error of the methods, or nil, as one of connect-go.
func asConnect(err error) error {
	if err == nil {
		return nil
	}
	described := status.Convert(err)
	failure := connect.NewError(connect.Code(described.Code()), errors.New(described.Message()))
	for _, each := range described.Proto().GetDetails() {
		if detail, err := connect.NewErrorDetail(each); err == nil {
			failure.AddDetail(detail)
		}
	}
	return failure
}
