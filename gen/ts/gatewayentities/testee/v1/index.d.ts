// Generated from proto/ by proto/generate.py. Do not edit.
export * from "./testee_pb.js";
