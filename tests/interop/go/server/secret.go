package main

import (
	"context"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	pb "gateway_entities/gen/go/gatewayentities/v1"
)

func (g *gateway) secret(id string) (*pb.GatewaySecretInfo, error) {
	return find("secret", g.secrets, func(row *pb.GatewaySecretInfo) bool { return row.GetSecretId() == id })
}

func masked(values map[string]string) map[string]string {
	shown := map[string]string{}
	for key, value := range values {
		shown[key] = "***"
		if len(value) >= 20 {
			shown[key] = value[:3] + "..." + value[len(value)-4:]
		}
	}
	return shown
}

func (g *gateway) CreateGatewaySecret(ctx context.Context, request *pb.CreateGatewaySecretRequest) (*pb.CreateGatewaySecretResponse, error) {
	var bad []string
	if request.GetSecretName() == "" {
		bad = append(bad, "secret_name", "is required")
	}
	if len(request.GetSecretValue()) == 0 {
		bad = append(bad, "secret_value", "needs a key")
	}
	for key, value := range request.GetSecretValue() {
		if value == "" {
			bad = append(bad, "secret_value["+key+"]", "is empty")
		}
	}
	if bad != nil {
		return nil, invalid(bad...)
	}
	for _, row := range g.secrets {
		if row.GetSecretName() == request.GetSecretName() {
			return nil, failure(codes.AlreadyExists, "the name is taken", "NAME_TAKEN")
		}
	}
	who, when := actor(ctx, request.CreatedBy), now()
	row := &pb.GatewaySecretInfo{
		SecretId: g.newID("secret"), SecretName: request.SecretName, MaskedValues: masked(request.GetSecretValue()), CreatedAt: when,
		LastUpdatedAt: when, Provider: request.Provider, CreatedBy: who, LastUpdatedBy: who, AuthConfig: request.GetAuthConfig(),
	}
	g.secrets = append(g.secrets, row)
	g.values[row.GetSecretId()] = request.GetSecretValue()
	return &pb.CreateGatewaySecretResponse{Secret: proto.CloneOf(row)}, nil
}

func (g *gateway) GetGatewaySecretInfo(_ context.Context, request *pb.GetGatewaySecretInfoRequest) (*pb.GetGatewaySecretInfoResponse, error) {
	row, err := find("secret", g.secrets, func(row *pb.GatewaySecretInfo) bool {
		return row.GetSecretId() == request.GetSecretId() || row.GetSecretName() == request.GetSecretName()
	})
	return &pb.GetGatewaySecretInfoResponse{Secret: proto.CloneOf(row)}, err
}

func (g *gateway) UpdateGatewaySecret(ctx context.Context, request *pb.UpdateGatewaySecretRequest) (*pb.UpdateGatewaySecretResponse, error) {
	row, err := g.secret(request.GetSecretId())
	if err != nil {
		return nil, err
	}
	if err := update(row, request, request.GetUpdateMask(), "secret_value", "auth_config"); err != nil {
		return nil, err
	}
	if len(request.GetSecretValue()) > 0 {
		row.MaskedValues = masked(request.GetSecretValue())
		g.values[row.GetSecretId()] = request.GetSecretValue()
	}
	row.LastUpdatedAt, row.LastUpdatedBy = now(), actor(ctx, request.UpdatedBy)
	return &pb.UpdateGatewaySecretResponse{Secret: proto.CloneOf(row)}, nil
}

func (g *gateway) DeleteGatewaySecret(_ context.Context, request *pb.DeleteGatewaySecretRequest) (*pb.DeleteGatewaySecretResponse, error) {
	row, err := g.secret(request.GetSecretId())
	if err != nil {
		return nil, err
	}
	g.secrets = slices.DeleteFunc(g.secrets, func(each *pb.GatewaySecretInfo) bool { return each == row })
	for _, definition := range g.definitions {
		if definition.GetSecretId() == request.GetSecretId() {
			definition.SecretId, definition.SecretName = nil, nil
		}
	}
	return &pb.DeleteGatewaySecretResponse{}, nil
}

func (g *gateway) ListGatewaySecretInfos(_ context.Context, request *pb.ListGatewaySecretInfosRequest) (*pb.ListGatewaySecretInfosResponse, error) {
	rows, next, err := page(g.secrets, func(row *pb.GatewaySecretInfo) bool {
		return request.GetProvider() == "" || row.GetProvider() == request.GetProvider()
	}, int64(request.GetPageSize()), request.GetPageToken())
	return &pb.ListGatewaySecretInfosResponse{Secrets: rows, NextPageToken: next}, err
}
