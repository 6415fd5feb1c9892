package main

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	pb "gateway_entities/gen/go/gatewayentities/v1"
)

func (g *gateway) endpoint(id string) (*pb.GatewayEndpoint, error) {
	return find("endpoint", g.endpoints, func(row *pb.GatewayEndpoint) bool { return row.GetEndpointId() == id })
}

// mappings returns the mappings of a request's model configs.
func (g *gateway) mappings(endpointID *string, configs []*pb.GatewayEndpointModelConfig) ([]*pb.GatewayEndpointModelMapping, error) {
	var found []*pb.GatewayEndpointModelMapping
	var bad []string
	for index, config := range configs {
		definition, err := g.definition(config.GetModelDefinitionId())
		if err != nil {
			bad = append(bad, fmt.Sprintf("model_configs[%d].model_definition_id", index), "names no model definition")
		}
		found = append(found, &pb.GatewayEndpointModelMapping{
			MappingId: g.newID("mapping"), EndpointId: endpointID, ModelDefinitionId: config.ModelDefinitionId,
			ModelDefinition: proto.CloneOf(definition), Weight: config.Weight, CreatedAt: now(), LinkageType: config.LinkageType,
			FallbackOrder: config.FallbackOrder,
		})
	}
	if bad != nil {
		return nil, invalid(bad...)
	}
	return found, nil
}

func (g *gateway) CreateGatewayEndpoint(ctx context.Context, request *pb.CreateGatewayEndpointRequest) (*pb.CreateGatewayEndpointResponse, error) {
	if err := required("name", request.GetName()); err != nil {
		return nil, err
	}
	id := g.newID("endpoint")
	mappings, err := g.mappings(id, request.GetModelConfigs())
	if err != nil {
		return nil, err
	}
	who, when := actor(ctx, request.CreatedBy), now()
	row := &pb.GatewayEndpoint{
		EndpointId: id, Name: request.Name, CreatedAt: when, LastUpdatedAt: when, ModelMappings: mappings, CreatedBy: who, LastUpdatedBy: who,
		RoutingStrategy: request.RoutingStrategy, FallbackConfig: request.GetFallbackConfig(), ExperimentId: request.ExperimentId,
		UsageTracking: request.UsageTracking,
	}
	g.endpoints = append(g.endpoints, row)
	return &pb.CreateGatewayEndpointResponse{Endpoint: proto.CloneOf(row)}, nil
}

func (g *gateway) GetGatewayEndpoint(_ context.Context, request *pb.GetGatewayEndpointRequest) (*pb.GetGatewayEndpointResponse, error) {
	row, err := find("endpoint", g.endpoints, func(row *pb.GatewayEndpoint) bool {
		return row.GetEndpointId() == request.GetEndpointId() || row.GetName() == request.GetName()
	})
	return &pb.GetGatewayEndpointResponse{Endpoint: proto.CloneOf(row)}, err
}

func (g *gateway) UpdateGatewayEndpoint(ctx context.Context, request *pb.UpdateGatewayEndpointRequest) (*pb.UpdateGatewayEndpointResponse, error) {
	row, err := g.endpoint(request.GetEndpointId())
	if err != nil {
		return nil, err
	}
	mappings, err := g.mappings(row.EndpointId, request.GetModelConfigs())
	if err != nil {
		return nil, err
	}
	if err := update(
		row, request, request.GetUpdateMask(),
		"name", "model_configs", "routing_strategy", "fallback_config", "experiment_id", "usage_tracking",
	); err != nil {
		return nil, err
	}
	if mappings != nil {
		row.ModelMappings = mappings
	}
	row.LastUpdatedAt, row.LastUpdatedBy = now(), actor(ctx, request.UpdatedBy)
	return &pb.UpdateGatewayEndpointResponse{Endpoint: proto.CloneOf(row)}, nil
}

func (g *gateway) DeleteGatewayEndpoint(_ context.Context, request *pb.DeleteGatewayEndpointRequest) (*pb.DeleteGatewayEndpointResponse, error) {
	row, err := g.endpoint(request.GetEndpointId())
	if err != nil {
		return nil, err
	}
	g.endpoints = slices.DeleteFunc(g.endpoints, func(each *pb.GatewayEndpoint) bool { return each == row })
	g.bindings = slices.DeleteFunc(g.bindings, func(each *pb.GatewayEndpointBinding) bool { return each.GetEndpointId() == row.GetEndpointId() })
	return &pb.DeleteGatewayEndpointResponse{}, nil
}

func (g *gateway) ListGatewayEndpoints(_ context.Context, request *pb.ListGatewayEndpointsRequest) (*pb.ListGatewayEndpointsResponse, error) {
	rows, next, err := page(g.endpoints, func(row *pb.GatewayEndpoint) bool {
		return request.GetProvider() == "" || slices.ContainsFunc(row.GetModelMappings(), func(mapping *pb.GatewayEndpointModelMapping) bool {
			return mapping.GetModelDefinition().GetProvider() == request.GetProvider()
		})
	}, int64(request.GetPageSize()), request.GetPageToken())
	return &pb.ListGatewayEndpointsResponse{Endpoints: rows, NextPageToken: next}, err
}

func (g *gateway) SetGatewayEndpointTag(_ context.Context, request *pb.SetGatewayEndpointTagRequest) (*pb.SetGatewayEndpointTagResponse, error) {
	if err := required("key", request.GetKey()); err != nil {
		return nil, err
	}
	row, err := g.endpoint(request.GetEndpointId())
	if err != nil {
		return nil, err
	}
	row.Tags = slices.DeleteFunc(row.Tags, func(tag *pb.GatewayEndpointTag) bool { return tag.GetKey() == request.GetKey() })
	row.Tags = append(row.Tags, &pb.GatewayEndpointTag{Key: request.Key, Value: request.Value})
	return &pb.SetGatewayEndpointTagResponse{}, nil
}

func (g *gateway) DeleteGatewayEndpointTag(_ context.Context, request *pb.DeleteGatewayEndpointTagRequest) (*pb.DeleteGatewayEndpointTagResponse, error) {
	row, err := g.endpoint(request.GetEndpointId())
	if err != nil {
		return nil, err
	}
	row.Tags = slices.DeleteFunc(row.Tags, func(tag *pb.GatewayEndpointTag) bool { return tag.GetKey() == request.GetKey() })
	return &pb.DeleteGatewayEndpointTagResponse{}, nil
}
