package main

import (
	"context"
	"slices"

	"google.golang.org/protobuf/proto"

	pb "gateway_entities/gen/go/gatewayentities/v1"
)

func (g *gateway) policy(id string) (*pb.GatewayBudgetPolicy, error) {
	return find("budget policy", g.policies, func(row *pb.GatewayBudgetPolicy) bool { return row.GetBudgetPolicyId() == id })
}

func (g *gateway) CreateGatewayBudgetPolicy(ctx context.Context, request *pb.CreateGatewayBudgetPolicyRequest) (*pb.CreateGatewayBudgetPolicyResponse, error) {
	if request.GetBudgetAmount() < 0 || request.GetDuration().GetValue() < 1 {
		return nil, invalid("budget_amount", "must be 0 or more", "duration.value", "must be 1 or more")
	}
	who, when := actor(ctx, request.CreatedBy), now()
	row := &pb.GatewayBudgetPolicy{
		BudgetPolicyId: g.newID("policy"), BudgetUnit: request.BudgetUnit, BudgetAmount: request.BudgetAmount, Duration: request.GetDuration(),
		TargetScope: request.TargetScope, BudgetAction: request.BudgetAction, CreatedBy: who, CreatedAt: when, LastUpdatedBy: who,
		LastUpdatedAt: when, TargetValue: request.TargetValue,
	}
	g.policies = append(g.policies, row)
	return &pb.CreateGatewayBudgetPolicyResponse{BudgetPolicy: proto.CloneOf(row)}, nil
}

func (g *gateway) GetGatewayBudgetPolicy(_ context.Context, request *pb.GetGatewayBudgetPolicyRequest) (*pb.GetGatewayBudgetPolicyResponse, error) {
	row, err := g.policy(request.GetBudgetPolicyId())
	return &pb.GetGatewayBudgetPolicyResponse{BudgetPolicy: proto.CloneOf(row)}, err
}

func (g *gateway) UpdateGatewayBudgetPolicy(ctx context.Context, request *pb.UpdateGatewayBudgetPolicyRequest) (*pb.UpdateGatewayBudgetPolicyResponse, error) {
	row, err := g.policy(request.GetBudgetPolicyId())
	if err != nil {
		return nil, err
	}
	if err := update(
		row, request, request.GetUpdateMask(),
		"budget_unit", "budget_amount", "duration", "target_scope", "budget_action", "target_value",
	); err != nil {
		return nil, err
	}
	row.LastUpdatedAt, row.LastUpdatedBy = now(), actor(ctx, request.UpdatedBy)
	return &pb.UpdateGatewayBudgetPolicyResponse{BudgetPolicy: proto.CloneOf(row)}, nil
}

func (g *gateway) DeleteGatewayBudgetPolicy(_ context.Context, request *pb.DeleteGatewayBudgetPolicyRequest) (*pb.DeleteGatewayBudgetPolicyResponse, error) {
	row, err := g.policy(request.GetBudgetPolicyId())
	g.policies = slices.DeleteFunc(g.policies, func(each *pb.GatewayBudgetPolicy) bool { return each == row })
	return &pb.DeleteGatewayBudgetPolicyResponse{}, err
}

func (g *gateway) ListGatewayBudgetPolicies(_ context.Context, request *pb.ListGatewayBudgetPoliciesRequest) (*pb.ListGatewayBudgetPoliciesResponse, error) {
	all := func(*pb.GatewayBudgetPolicy) bool { return true }
	rows, next, err := page(g.policies, all, request.GetMaxResults(), request.GetPageToken())
	return &pb.ListGatewayBudgetPoliciesResponse{BudgetPolicies: rows, NextPageToken: next}, err
}
