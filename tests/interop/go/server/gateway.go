package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	pb "gateway_entities/gen/go/gatewayentities/v1"
)

// longestPage is small, so that clients need a second page for any page size.
const longestPage = 2

// gateway stores resources in the order of creation. Its other methods return UNIMPLEMENTED.
type gateway struct {
	pb.UnimplementedBindingServiceServer
	pb.UnimplementedBudgetServiceServer
	pb.UnimplementedEndpointServiceServer
	pb.UnimplementedModelDefinitionServiceServer
	pb.UnimplementedResolutionServiceServer
	pb.UnimplementedSecretServiceServer

	lock        sync.Mutex
	lastID      int
	secrets     []*pb.GatewaySecretInfo
	definitions []*pb.GatewayModelDefinition
	endpoints   []*pb.GatewayEndpoint
	bindings    []*pb.GatewayEndpointBinding
	policies    []*pb.GatewayBudgetPolicy
	// The values of the secrets, by secret_id.
	values map[string]map[string]string
	// The etags of all resources at each revision, from 1; and what is closed at the next one.
	history []map[key]string
	changed chan struct{}
}

func (g *gateway) newID(noun string) *string {
	g.lastID++
	return proto.String(fmt.Sprintf("%s/%d", noun, g.lastID))
}

func now() *int64 { return proto.Int64(time.Now().UnixMilli()) }

// actor returns the actor of a change: that of the request, else that of the header x-actor, else none.
func actor(ctx context.Context, named *string) *string {
	if values := metadata.ValueFromIncomingContext(ctx, "x-actor"); named == nil && len(values) > 0 {
		return &values[0]
	}
	return named
}

// find returns the first matching row itself, not a copy.
func find[Row any](noun string, rows []Row, matches func(Row) bool) (Row, error) {
	if index := slices.IndexFunc(rows, matches); index >= 0 {
		return rows[index], nil
	}
	var none Row
	return none, failure(codes.NotFound, noun+" does not exist", "NO_SUCH_ROW")
}

// page returns copies of the rows of one page, and the token of the next.
func page[Row proto.Message](rows []Row, matches func(Row) bool, size int64, token string) ([]Row, *string, error) {
	start := 0
	if token != "" {
		var err error
		if start, err = strconv.Atoi(token); err != nil || start < 0 {
			return nil, nil, invalid("page_token", "is not one of this server's")
		}
	}
	var found []Row
	for _, row := range rows {
		if matches(row) {
			found = append(found, proto.CloneOf(row))
		}
	}
	end := start + longestPage
	if size > 0 && size < longestPage {
		end = start + int(size)
	}
	if end >= len(found) {
		return found[min(start, len(found)):], nil, nil
	}
	return found[start:end], proto.String(strconv.Itoa(end)), nil
}

// update copies fields from a request to a row: those of the mask, or without a mask the non-empty ones.
func update(row, request proto.Message, mask *fieldmaskpb.FieldMask, allowed ...string) error {
	for _, path := range mask.GetPaths() {
		if !slices.Contains(allowed, path) {
			return invalid("update_mask", fmt.Sprintf("names %q, which cannot be changed", path))
		}
	}
	from, to := request.ProtoReflect(), row.ProtoReflect()
	for _, name := range allowed {
		source := from.Descriptor().Fields().ByName(protoreflect.Name(name))
		target := to.Descriptor().Fields().ByName(protoreflect.Name(name))
		given := from.Has(source) && from.Get(source).String() != ""
		switch {
		case target == nil:
			// What is not a plain copy is the method's own business.
		case mask == nil && given, mask != nil && slices.Contains(mask.GetPaths(), name) && from.Has(source):
			to.Set(target, from.Get(source))
		case mask != nil && slices.Contains(mask.GetPaths(), name):
			to.Clear(target)
		}
	}
	return nil
}

// failure returns an error with a reason, after a detail of a type that clients may not know.
func failure(code codes.Code, text, reason string, details ...protoadapt.MessageV1) error {
	known := &errdetails.ErrorInfo{Reason: reason, Domain: "go-gateway", Metadata: map[string]string{"language": "go"}}
	unusual := &errdetails.Help{Links: []*errdetails.Help_Link{{Description: text}}}
	described, err := status.New(code, text).WithDetails(append([]protoadapt.MessageV1{unusual, known}, details...)...)
	if err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	return described.Err()
}

// invalid returns the error of a request with violations, given as field, description, field, description.
func invalid(pairs ...string) error {
	bad := &errdetails.BadRequest{}
	for pair := range slices.Chunk(pairs, 2) {
		bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{Field: pair[0], Description: pair[1]})
	}
	return failure(codes.InvalidArgument, "the request is not valid", "BAD_REQUEST", bad)
}

// required returns an error that names each field, of those given as name, value, name, value, that is empty; or nil.
func required(pairs ...string) error {
	var bad []string
	for pair := range slices.Chunk(pairs, 2) {
		if pair[1] == "" {
			bad = append(bad, pair[0], "is required")
		}
	}
	if bad == nil {
		return nil
	}
	return invalid(bad...)
}
