package main

import (
	"context"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	pb "gateway_entities/gen/go/gatewayentities/v1"
)

// same reports whether a binding is that of a request.
func same(row *pb.GatewayEndpointBinding, request interface {
	GetEndpointId() string
	GetResourceType() string
	GetResourceId() string
}) bool {
	return row.GetEndpointId() == request.GetEndpointId() && row.GetResourceType() == request.GetResourceType() &&
		row.GetResourceId() == request.GetResourceId()
}

func (g *gateway) CreateGatewayEndpointBinding(ctx context.Context, request *pb.CreateGatewayEndpointBindingRequest) (*pb.CreateGatewayEndpointBindingResponse, error) {
	if err := required("resource_type", request.GetResourceType(), "resource_id", request.GetResourceId()); err != nil {
		return nil, err
	}
	if _, err := g.endpoint(request.GetEndpointId()); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(g.bindings, func(row *pb.GatewayEndpointBinding) bool { return same(row, request) }) {
		return nil, failure(codes.AlreadyExists, "the binding exists", "BOUND")
	}
	who, when := actor(ctx, request.CreatedBy), now()
	row := &pb.GatewayEndpointBinding{
		EndpointId: request.EndpointId, ResourceType: request.ResourceType, ResourceId: request.ResourceId, CreatedAt: when,
		LastUpdatedAt: when, CreatedBy: who, LastUpdatedBy: who,
	}
	g.bindings = append(g.bindings, row)
	return &pb.CreateGatewayEndpointBindingResponse{Binding: proto.CloneOf(row)}, nil
}

func (g *gateway) DeleteGatewayEndpointBinding(_ context.Context, request *pb.DeleteGatewayEndpointBindingRequest) (*pb.DeleteGatewayEndpointBindingResponse, error) {
	row, err := find("binding", g.bindings, func(row *pb.GatewayEndpointBinding) bool { return same(row, request) })
	g.bindings = slices.DeleteFunc(g.bindings, func(each *pb.GatewayEndpointBinding) bool { return each == row })
	return &pb.DeleteGatewayEndpointBindingResponse{}, err
}

func (g *gateway) ListGatewayEndpointBindings(_ context.Context, request *pb.ListGatewayEndpointBindingsRequest) (*pb.ListGatewayEndpointBindingsResponse, error) {
	rows, next, err := page(g.bindings, func(row *pb.GatewayEndpointBinding) bool {
		return (request.GetEndpointId() == "" || row.GetEndpointId() == request.GetEndpointId()) &&
			(request.GetResourceType() == "" || row.GetResourceType() == request.GetResourceType()) &&
			(request.GetResourceId() == "" || row.GetResourceId() == request.GetResourceId())
	}, int64(request.GetPageSize()), request.GetPageToken())
	return &pb.ListGatewayEndpointBindingsResponse{Bindings: rows, NextPageToken: next}, err
}
