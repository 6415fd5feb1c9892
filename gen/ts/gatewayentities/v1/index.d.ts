// Generated from proto/ by proto/generate.py. Do not edit.
export * from "./binding_pb.js";
export * from "./budget_pb.js";
export * from "./change_pb.js";
export * from "./configuration_pb.js";
export * from "./convergence_pb.js";
export * from "./endpoint_pb.js";
export * from "./guardrail_pb.js";
export * from "./model_definition_pb.js";
export * from "./resolution_pb.js";
export * from "./secret_pb.js";
export * from "./spend_pb.js";
