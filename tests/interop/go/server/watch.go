package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	pb "gateway_entities/gen/go/gatewayentities/v1"
)

const storeID = "go-gateway"

// key identifies a resource.
type key struct{ noun, id string }

// The two libraries have different signatures for the same stream.
type overGRPC struct {
	pb.UnimplementedChangeServiceServer
	*gateway
}

type overConnect struct {
	pb.UnimplementedChangeServiceServer
	*gateway
}

func (g overGRPC) WatchGateway(request *pb.WatchGatewayRequest, stream grpc.ServerStreamingServer[pb.WatchGatewayResponse]) error {
	var token string
	if values := metadata.ValueFromIncomingContext(stream.Context(), "authorization"); len(values) > 0 {
		token = values[0]
	}
	return g.watch(stream.Context(), token, request.GetResumeToken(), stream.Send)
}

func (g overConnect) WatchGateway(ctx context.Context, request *pb.WatchGatewayRequest, stream *connect.ServerStream[pb.WatchGatewayResponse]) error {
	token := stream.Conn().RequestHeader().Get("authorization")
	return asConnect(g.watch(ctx, token, request.GetResumeToken(), stream.Send))
}

// watch sends what differs after each change. A caller with a token, which is the name of a secret, may watch until that is deleted.
func (g *gateway) watch(ctx context.Context, token, resumed string, send func(*pb.WatchGatewayResponse) error) error {
	known, isSnapshot := map[key]string{}, resumed == ""
	if !isSnapshot {
		revision, err := strconv.Atoi(resumed)
		g.lock.Lock()
		if err != nil || revision < 0 || revision > len(g.history) {
			g.lock.Unlock()
			return failure(codes.OutOfRange, "the token is of another store", "STORE_CHANGED")
		}
		if revision > 0 {
			known = g.history[revision-1]
		}
		g.lock.Unlock()
	}
	for {
		g.lock.Lock()
		revision, changed, resources := len(g.history), g.changed, g.resources()
		g.lock.Unlock()
		if name, ok := strings.CutPrefix(token, "Bearer "); ok && !slices.ContainsFunc(resources, func(each *pb.GatewayResource) bool {
			return each.GetSecret().GetSecretName() == name
		}) {
			return failure(codes.Unauthenticated, "the token was revoked", "TOKEN_REVOKED")
		}
		now := etags(resources)
		for _, part := range parts(known, resources, isSnapshot, revision) {
			if err := send(part); err != nil {
				return err
			}
		}
		known, isSnapshot = now, false
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// parts returns an update in parts of two resources.
func parts(known map[key]string, resources []*pb.GatewayResource, isSnapshot bool, revision int) []*pb.WatchGatewayResponse {
	now, removed := etags(resources), []*pb.GatewayResourceKey{}
	for each := range known {
		if _, ok := now[each]; !ok {
			removed = append(removed, &pb.GatewayResourceKey{Noun: proto.String(each.noun), Id: proto.String(each.id)})
		}
	}
	written := slices.DeleteFunc(resources, func(each *pb.GatewayResource) bool {
		return !isSnapshot && known[key{each.GetNoun(), each.GetId()}] == each.GetContentEtag()
	})
	var found []*pb.WatchGatewayResponse
	for {
		part := &pb.WatchGatewayResponse{StoreId: proto.String(storeID), Revision: proto.Int64(int64(revision)), Removed: removed}
		if isSnapshot {
			part.IsSnapshot = proto.Bool(true)
		}
		part.Resources, removed = written[:min(2, len(written))], nil
		written = written[len(part.Resources):]
		found = append(found, part)
		if len(written) == 0 {
			part.ResumeToken = proto.String(strconv.Itoa(revision))
			return found
		}
		part.IsPartial = proto.Bool(true)
	}
}

// publish begins a revision if something has changed.
func (g *gateway) publish() {
	now := etags(g.resources())
	if len(g.history) == 0 || !maps.Equal(now, g.history[len(g.history)-1]) {
		g.history = append(g.history, now)
		close(g.changed)
		g.changed = make(chan struct{})
	}
}

func etags(resources []*pb.GatewayResource) map[key]string {
	found := map[key]string{}
	for _, each := range resources {
		found[key{each.GetNoun(), each.GetId()}] = each.GetContentEtag()
	}
	return found
}

// resources returns copies of all.
func (g *gateway) resources() []*pb.GatewayResource {
	var found []*pb.GatewayResource
	for _, row := range g.secrets {
		found = append(found, resource("secret", row.GetSecretId(), row, &pb.GatewayResource{Resource: &pb.GatewayResource_Secret{Secret: proto.CloneOf(row)}}))
	}
	for _, row := range g.definitions {
		found = append(found, resource("model_definition", row.GetModelDefinitionId(), row, &pb.GatewayResource{Resource: &pb.GatewayResource_ModelDefinition{ModelDefinition: proto.CloneOf(row)}}))
	}
	for _, row := range g.endpoints {
		alone := proto.CloneOf(row)
		for _, mapping := range alone.GetModelMappings() {
			mapping.ModelDefinition = nil
		}
		found = append(found, resource("endpoint", row.GetEndpointId(), alone, &pb.GatewayResource{Resource: &pb.GatewayResource_Endpoint{Endpoint: alone}}))
	}
	return found
}

func resource(noun, id string, content proto.Message, made *pb.GatewayResource) *pb.GatewayResource {
	// It cannot fail: the message came by the same library.
	data, _ := proto.MarshalOptions{Deterministic: true}.Marshal(content)
	made.Noun, made.Id = proto.String(noun), proto.String(id)
	made.ContentEtag = proto.String(fmt.Sprintf("%x", sha256.Sum256(data))[:32])
	return made
}

func (g *gateway) ResolveGatewayEndpoint(ctx context.Context, request *pb.ResolveGatewayEndpointRequest) (*pb.ResolveGatewayEndpointResponse, error) {
	if values := metadata.ValueFromIncomingContext(ctx, "authorization"); len(values) == 0 {
		return nil, failure(codes.FailedPrecondition, "resolving needs a token", "TOKEN_REQUIRED")
	}
	response := &pb.ResolveGatewayEndpointResponse{Revision: proto.Int64(int64(len(g.history)))}
	for _, name := range request.GetNames() {
		row, err := find("endpoint", g.endpoints, func(row *pb.GatewayEndpoint) bool { return row.GetName() == name })
		if err != nil {
			return nil, err
		}
		resolved := &pb.ResolvedGatewayEndpoint{Endpoint: proto.CloneOf(row)}
		for _, mapping := range row.GetModelMappings() {
			definition, err := g.definition(mapping.GetModelDefinitionId())
			if err != nil {
				return nil, err
			}
			secret, err := g.secret(definition.GetSecretId())
			if err != nil {
				return nil, err
			}
			resolved.Models = append(resolved.Models, &pb.ResolvedGatewayModel{
				MappingId: mapping.MappingId, ModelDefinitionId: definition.ModelDefinitionId, Provider: definition.Provider,
				ModelName: definition.ModelName, SecretId: secret.SecretId, SecretEtag: proto.String("etag"),
				AuthConfig: secret.GetAuthConfig(), SecretValue: g.values[secret.GetSecretId()],
			})
		}
		response.Endpoints = append(response.Endpoints, resolved)
	}
	return response, nil
}
