package main

import (
	"context"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	pb "gateway_entities/gen/go/gatewayentities/v1"
)

func (g *gateway) definition(id string) (*pb.GatewayModelDefinition, error) {
	return find("model definition", g.definitions, func(row *pb.GatewayModelDefinition) bool { return row.GetModelDefinitionId() == id })
}

func (g *gateway) CreateGatewayModelDefinition(ctx context.Context, request *pb.CreateGatewayModelDefinitionRequest) (*pb.CreateGatewayModelDefinitionResponse, error) {
	if err := required("name", request.GetName(), "provider", request.GetProvider(), "model_name", request.GetModelName()); err != nil {
		return nil, err
	}
	secret, err := g.secret(request.GetSecretId())
	if err != nil {
		return nil, err
	}
	who, when := actor(ctx, request.CreatedBy), now()
	row := &pb.GatewayModelDefinition{
		ModelDefinitionId: g.newID("definition"), Name: request.Name, SecretId: secret.SecretId, SecretName: secret.SecretName,
		Provider: request.Provider, ModelName: request.ModelName, CreatedAt: when, LastUpdatedAt: when, CreatedBy: who, LastUpdatedBy: who,
	}
	g.definitions = append(g.definitions, row)
	return &pb.CreateGatewayModelDefinitionResponse{ModelDefinition: proto.CloneOf(row)}, nil
}

func (g *gateway) GetGatewayModelDefinition(_ context.Context, request *pb.GetGatewayModelDefinitionRequest) (*pb.GetGatewayModelDefinitionResponse, error) {
	row, err := find("model definition", g.definitions, func(row *pb.GatewayModelDefinition) bool {
		return row.GetModelDefinitionId() == request.GetModelDefinitionId() || row.GetName() == request.GetName()
	})
	return &pb.GetGatewayModelDefinitionResponse{ModelDefinition: proto.CloneOf(row)}, err
}

func (g *gateway) UpdateGatewayModelDefinition(ctx context.Context, request *pb.UpdateGatewayModelDefinitionRequest) (*pb.UpdateGatewayModelDefinitionResponse, error) {
	row, err := g.definition(request.GetModelDefinitionId())
	if err != nil {
		return nil, err
	}
	if err := update(row, request, request.GetUpdateMask(), "name", "secret_id", "model_name", "provider"); err != nil {
		return nil, err
	}
	row.SecretName = nil
	if secret, err := g.secret(row.GetSecretId()); err == nil {
		row.SecretName = secret.SecretName
	}
	row.LastUpdatedAt, row.LastUpdatedBy = now(), actor(ctx, request.UpdatedBy)
	return &pb.UpdateGatewayModelDefinitionResponse{ModelDefinition: proto.CloneOf(row)}, nil
}

func (g *gateway) DeleteGatewayModelDefinition(_ context.Context, request *pb.DeleteGatewayModelDefinitionRequest) (*pb.DeleteGatewayModelDefinitionResponse, error) {
	row, err := g.definition(request.GetModelDefinitionId())
	if err != nil {
		return nil, err
	}
	for _, endpoint := range g.endpoints {
		for _, mapping := range endpoint.GetModelMappings() {
			if mapping.GetModelDefinitionId() == row.GetModelDefinitionId() {
				return nil, failure(codes.FailedPrecondition, "endpoint "+endpoint.GetName()+" uses it", "IN_USE")
			}
		}
	}
	g.definitions = slices.DeleteFunc(g.definitions, func(each *pb.GatewayModelDefinition) bool { return each == row })
	return &pb.DeleteGatewayModelDefinitionResponse{}, nil
}

func (g *gateway) ListGatewayModelDefinitions(_ context.Context, request *pb.ListGatewayModelDefinitionsRequest) (*pb.ListGatewayModelDefinitionsResponse, error) {
	rows, next, err := page(g.definitions, func(row *pb.GatewayModelDefinition) bool {
		return (request.GetProvider() == "" || row.GetProvider() == request.GetProvider()) &&
			(request.GetSecretId() == "" || row.GetSecretId() == request.GetSecretId())
	}, int64(request.GetPageSize()), request.GetPageToken())
	return &pb.ListGatewayModelDefinitionsResponse{ModelDefinitions: rows, NextPageToken: next}, err
}
