// The testee for Node.js: protobuf-es, calls by grpc-js and by connect-node.

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { DescMethodUnary, Message } from "@bufbuild/protobuf";
import { encodeBinaryHeader } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import * as grpc from "@grpc/grpc-js";
import type { Call } from "./testee_pb.js";
import { CallErrorSchema } from "./testee_pb.js";
import { CallFailure, Unsupported, answer, connectFailure, received } from "./operations.js";
import { serve } from "./stdio.js";

const clients = new Map<string, grpc.Client>();

async function overGrpc(
  method: DescMethodUnary,
  request: Message,
  { target = "", path = "", timeoutMs }: Call,
): Promise<Message> {
  const client = clients.get(target) ?? new grpc.Client(target.replace("grpc://", ""), grpc.credentials.createInsecure());
  clients.set(target, client);
  const encode = (message: Message) => Buffer.from(toBinary(method.input, message));
  const decode = (data: Buffer) => fromBinary(method.output, data);
  const options = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, encode, decode, request, new grpc.Metadata(), options, (failure, response) => {
      if (failure) {
        reject(grpcFailure(failure));
      } else {
        resolve(response!);
      }
    });
  });
}

function grpcFailure({ code, details: message, metadata }: grpc.ServiceError): CallFailure {
  // grpc-js does not decode google.rpc.Status, which has the details; Connect's own gRPC does.
  const name = "grpc-status-details-bin";
  const trailers = new Headers(metadata.get(name).map((value) => [name, encodeBinaryHeader(value as Buffer)]));
  const details = received(findTrailerError(trailers)?.details ?? []);
  return new CallFailure(create(CallErrorSchema, { code, message, details }));
}

async function overConnect(
  method: DescMethodUnary,
  request: Message,
  { target = "", json, timeoutMs }: Call,
): Promise<Message> {
  // Reads by GET; the browser's are by POST.
  const options = { httpVersion: "1.1", useBinaryFormat: !json, useHttpGet: true } as const;
  const transport = createConnectTransport({ baseUrl: target, ...options });
  try {
    return (await transport.unary(method, undefined, timeoutMs, undefined, request)).message;
  } catch (error) {
    throw connectFailure(error);
  }
}

async function call(method: DescMethodUnary, request: Message, call: Call): Promise<Message> {
  const scheme = call.target?.split("://")[0];
  if (scheme !== "grpc" && scheme !== "http") {
    throw new Unsupported(`no calls to ${call.target}`);
  }
  return scheme === "grpc" ? overGrpc(method, request, call) : overConnect(method, request, call);
}

await serve((request) => answer(request, call));
clients.forEach((client) => client.close());
