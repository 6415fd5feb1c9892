// The testee for Node.js: protobuf-es, calls by grpc-js and by connect-node.

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { DescMethod, Message } from "@bufbuild/protobuf";
import { encodeBinaryHeader } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import * as grpc from "@grpc/grpc-js";
import type { Call } from "./testee_pb.js";
import { CallErrorSchema } from "./testee_pb.js";
import { CallFailure, Unsupported, answer, connectCaller, received } from "./operations.js";
import type { Caller } from "./operations.js";
import { serve } from "./stdio.js";

const clients = new Map<string, grpc.Client>();

const overGrpc: Caller = {
  unary(method, request, call) {
    return new Promise((resolve, reject) => {
      const { path, encode, decode, metadata, options } = inGrpc(method, call);
      client(call).makeUnaryRequest(path, encode, decode, request, metadata, options, (failure, response) => {
        if (failure) {
          reject(grpcFailure(failure));
        } else {
          resolve(response!);
        }
      });
    });
  },
  async *stream(method, request, call, signal) {
    const { path, encode, decode, metadata, options } = inGrpc(method, call);
    const stream = client(call).makeServerStreamRequest(path, encode, decode, request, metadata, options);
    // Nobody waits for the error of a stream that was cancelled.
    stream.on("error", () => undefined);
    signal.addEventListener("abort", () => stream.cancel());
    try {
      yield* stream as AsyncIterable<Message>;
    } catch (error) {
      throw grpcFailure(error as grpc.ServiceError);
    }
  },
};

function client({ target = "" }: Call): grpc.Client {
  const found = clients.get(target) ?? new grpc.Client(target.replace("grpc://", ""), grpc.credentials.createInsecure());
  clients.set(target, found);
  return found;
}

function inGrpc(method: DescMethod, { path = "", timeoutMs, metadata: headers }: Call) {
  const metadata = new grpc.Metadata();
  Object.entries(headers).forEach(([name, value]) => metadata.set(name, value));
  return {
    path,
    encode: (message: Message) => Buffer.from(toBinary(method.input, message)),
    decode: (data: Buffer): Message => fromBinary(method.output, data),
    metadata,
    options: timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs },
  };
}

function grpcFailure({ code, details: message, metadata }: grpc.ServiceError): CallFailure {
  // grpc-js does not decode google.rpc.Status, which has the details; Connect's own gRPC does.
  const name = "grpc-status-details-bin";
  const trailers = new Headers(metadata.get(name).map((value) => [name, encodeBinaryHeader(value as Buffer)]));
  const details = received(findTrailerError(trailers)?.details ?? []);
  return new CallFailure(create(CallErrorSchema, { code, message, details }));
}

// Reads by GET; the browser's are by POST.
const overConnect = connectCaller(({ target = "", json }) =>
  createConnectTransport({ baseUrl: target, httpVersion: "1.1", useBinaryFormat: !json, useHttpGet: true }),
);

function over({ target }: Call): Caller {
  const scheme = target?.split("://")[0];
  if (scheme !== "grpc" && scheme !== "http") {
    throw new Unsupported(`no calls to ${target}`);
  }
  return scheme === "grpc" ? overGrpc : overConnect;
}

const caller: Caller = {
  unary: (method, request, call) => over(call).unary(method, request, call),
  stream: (method, request, call, signal) => over(call).stream(method, request, call, signal),
};

await serve((request) => answer(request, caller));
clients.forEach((client) => client.close());
