package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	gatewayentitiesv1 "gateway_entities/gen/go/gatewayentities/v1"
	"gateway_entities/tests/interop/go/testeev1"
)

// following is the current stream. Its receive returns io.EOF at the end.
var following struct {
	receive func() (proto.Message, error)
	cancel  context.CancelFunc
}

func stream(request *testeev1.Call) *testeev1.TesteeResponse {
	cancel()
	ctx, stop := within(request)
	opened, refused := begin(ctx, request)
	if refused != nil {
		stop()
		return refused
	}
	switch opened := opened.(type) {
	case grpc.ServerStreamingClient[gatewayentitiesv1.WatchGatewayResponse]:
		following.receive = func() (proto.Message, error) { return opened.Recv() }
	case *connect.ServerStreamForClient[gatewayentitiesv1.WatchGatewayResponse]:
		following.receive = func() (proto.Message, error) {
			if opened.Receive() {
				return opened.Msg(), nil
			}
			if err := opened.Err(); err != nil {
				return nil, err
			}
			return nil, io.EOF
		}
	default:
		stop()
		return unsupported("stream of %q", request.GetPath())
	}
	following.cancel = stop
	return next()
}

func next() *testeev1.TesteeResponse {
	if following.receive == nil {
		return ended()
	}
	found, err := following.receive()
	if errors.Is(err, io.EOF) {
		return ended()
	} else if err != nil {
		return failed(err)
	}
	return message(found)
}

func cancel() *testeev1.TesteeResponse {
	if following.cancel != nil {
		following.cancel()
	}
	following.receive, following.cancel = nil, nil
	return ended()
}

func ended() *testeev1.TesteeResponse {
	return &testeev1.TesteeResponse{Result: &testeev1.TesteeResponse_Ended{Ended: true}}
}

// mirror returns the digest of the resources after these updates, as AcknowledgeGatewayRevisionRequest describes it.
func mirror(updates *testeev1.Updates) *testeev1.TesteeResponse {
	etags := map[[2]string]string{}
	whole := true
	for _, data := range updates.GetMessages() {
		update := &gatewayentitiesv1.WatchGatewayResponse{}
		if err := proto.Unmarshal(data, update); err != nil {
			return unreadable(err)
		}
		// A snapshot replaces everything, in its first part.
		if whole && update.GetIsSnapshot() {
			clear(etags)
		}
		whole = !update.GetIsPartial()
		for _, each := range update.GetRemoved() {
			delete(etags, [2]string{each.GetNoun(), each.GetId()})
		}
		for _, each := range update.GetResources() {
			etags[[2]string{each.GetNoun(), each.GetId()}] = each.GetContentEtag()
		}
	}
	var lines []string
	for key, etag := range etags {
		lines = append(lines, fmt.Sprintf("%s %s %s\n", key[0], key[1], etag))
	}
	slices.Sort(lines)
	digest := fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(lines, ""))))
	return &testeev1.TesteeResponse{Result: &testeev1.TesteeResponse_Digest{Digest: digest}}
}
