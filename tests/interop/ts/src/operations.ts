// Operations of a testee except the transport of calls: the same code in Node.js and in a page.

import { create, createFileRegistry, createRegistry, fromBinary, fromJsonString, toBinary, toJsonString } from "@bufbuild/protobuf";
import type {
  DescFile,
  DescMessage,
  DescMethod,
  DescMethodServerStreaming,
  DescMethodUnary,
  Message,
  MessageInitShape,
} from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import type { ReflectMessage } from "@bufbuild/protobuf/reflect";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { AnySchema } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import type { Transport } from "@connectrpc/connect";
import { createAsyncIterable } from "@connectrpc/connect/protocol";
import { CallErrorSchema, TesteeResponseSchema } from "./testee_pb.js";
import type { Call, CallError, TesteeRequest, TesteeResponse, Updates } from "./testee_pb.js";
import * as v1 from "gateway-entities/gatewayentities/v1";

type Result = TesteeResponse["result"];

/** Makes calls. Failures are CallFailure, and Unsupported for a target that it does not serve. */
export interface Caller {
  unary(method: DescMethodUnary, request: Message, call: Call): Promise<Message>;
  /** The messages of a stream, until the signal ends it. */
  stream(method: DescMethodServerStreaming, request: Message, call: Call, signal: AbortSignal): AsyncIterable<Message>;
}

export class Unsupported extends Error {}

/** A call's failure, in the protocol's form. */
export class CallFailure extends Error {
  constructor(readonly error: CallError) {
    super(error.message);
  }
}

// The types of the contract, and those of a schema that was sent.
let registry = createRegistry(
  ...Object.values<object>(v1).filter((each): each is DescFile => "kind" in each && each.kind === "file"),
);

/** Serves a request. `caller` makes its calls. */
export async function answer(request: TesteeRequest, caller: Caller): Promise<TesteeResponse> {
  return create(TesteeResponseSchema, { result: await result(request, caller) });
}

async function result({ messageType, operation }: TesteeRequest, caller: Caller): Promise<Result> {
  try {
    switch (operation.case) {
      case "call":
        return { case: "proto", value: await call(operation.value, caller) };
      case "stream":
        cancel();
        stream(operation.value, caller);
        return await next();
      case "next":
        return await next();
      case "cancel":
        return cancel();
      case "mirror":
        return { case: "digest", value: await mirror(operation.value) };
    }
    if (operation.case === "schema") {
      registry = createRegistry(registry, createFileRegistry(fromBinary(FileDescriptorSetSchema, operation.value)));
      return { case: "proto", value: new Uint8Array() };
    }
    const schema = registry.getMessage(messageType ?? "");
    if (schema === undefined) {
      throw new Unsupported(`no message type ${messageType}`);
    }
    switch (operation.case) {
      case "decode":
        return { case: "proto", value: toBinary(schema, fromBinary(schema, operation.value)) };
      case "toJson":
        return {
          case: "json",
          value: toJsonString(schema, fromBinary(schema, operation.value), { registry, useProtoFieldName: true }),
        };
      case "fromJson":
        return {
          case: "proto",
          value: toBinary(schema, fromJsonString(schema, operation.value, { registry, ignoreUnknownFields: true })),
        };
      case "digest":
        return { case: "digest", value: await digest(schema, operation.value) };
      default:
        throw new Unsupported("no such operation");
    }
  } catch (error) {
    if (error instanceof Unsupported) {
      return { case: "unsupported", value: error.message };
    }
    if (error instanceof CallFailure) {
      return { case: "callError", value: error.error };
    }
    return { case: "parseError", value: String(error) };
  }
}

async function call(call: Call, caller: Caller): Promise<Uint8Array> {
  const method = find(call, (each): each is DescMethodUnary => each.methodKind === "unary");
  const response = await caller.unary(method, fromBinary(method.input, call.request ?? new Uint8Array()), call);
  return toBinary(method.output, response);
}

function find<M extends DescMethod>({ path }: Call, suits: (method: DescMethod) => method is M): M {
  const [, service = "", name] = (path ?? "").split("/");
  const method = registry.getService(service)?.methods.find((each) => each.name === name);
  if (method === undefined || !suits(method)) {
    throw new Unsupported(`no method ${path}`);
  }
  return method;
}

let following: { messages: AsyncIterator<Message>; output: DescMessage; ending: AbortController } | undefined;

function stream(call: Call, caller: Caller): void {
  const method = find(call, (each): each is DescMethodServerStreaming => each.methodKind === "server_streaming");
  const request = fromBinary(method.input, call.request ?? new Uint8Array());
  const ending = new AbortController();
  const messages = caller.stream(method, request, call, ending.signal)[Symbol.asyncIterator]();
  following = { messages, output: method.output, ending };
}

async function next(): Promise<Result> {
  const { done, value } = (await following?.messages.next()) ?? { done: true, value: undefined };
  return done ? { case: "ended", value: true } : { case: "proto", value: toBinary(following!.output, value) };
}

function cancel(): Result {
  following?.ending.abort();
  following = undefined;
  return { case: "ended", value: true };
}

/** The calls of a transport of Connect. */
export function connectCaller(open: (call: Call) => Transport): Caller {
  return {
    async unary(method, request, call) {
      const transport = open(call);
      try {
        return (await transport.unary(method, undefined, call.timeoutMs, call.metadata, request)).message;
      } catch (error) {
        throw connectFailure(error);
      }
    },
    async *stream(method, request, call, signal) {
      const transport = open(call);
      try {
        const input = createAsyncIterable([request]);
        yield* (await transport.stream(method, signal, call.timeoutMs, call.metadata, input)).message;
      } catch (error) {
        throw connectFailure(error);
      }
    },
  };
}

/** Converts a Connect call's failure to the protocol's form. */
function connectFailure(error: unknown): CallFailure {
  const { code, rawMessage: message, details } = ConnectError.from(error);
  return new CallFailure(create(CallErrorSchema, { code, message, details: received(details) }));
}

/** Returns the details of a server's error. */
export function received(details: ConnectError["details"]): MessageInitShape<typeof AnySchema>[] {
  return details.flatMap((each) =>
    "type" in each ? [{ typeUrl: `type.googleapis.com/${each.type}`, value: each.value }] : [],
  );
}

async function digest(schema: DescMessage, bytes: Uint8Array): Promise<string> {
  const message = fromBinary(schema, bytes);
  sortMaps(reflect(schema, message));
  return sha256(toBinary(schema, message));
}

/** Returns the digest of the resources after these updates, as AcknowledgeGatewayRevisionRequest describes it. */
async function mirror({ messages }: Updates): Promise<string> {
  const etags = new Map<string, string>();
  let whole = true;
  for (const data of messages) {
    const update = fromBinary(v1.WatchGatewayResponseSchema, data);
    // A snapshot replaces everything, in its first part.
    if (whole && update.isSnapshot) {
      etags.clear();
    }
    whole = !update.isPartial;
    update.removed.forEach(({ noun, id }) => etags.delete(`${noun} ${id}`));
    update.resources.forEach(({ noun, id, contentEtag }) => etags.set(`${noun} ${id}`, contentEtag ?? ""));
  }
  const lines = Array.from(etags, ([key, etag]) => `${key} ${etag}\n`).sort(compareBytes);
  return sha256(new TextEncoder().encode(lines.join("")));
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Sorts each map's keys by their bytes, for toBinary, which has no option for it. A map is an object, which iterates over
 * keys like array indices first, in any order of insertion; a proxy has its own order.
 */
function sortMaps(message: ReflectMessage): void {
  for (const field of message.fields.filter((each) => message.isSet(each))) {
    if (field.fieldKind === "message") {
      sortMaps(message.get(field));
    } else if (field.fieldKind === "list" && field.listKind === "message") {
      [...message.get(field)].forEach((each) => sortMaps(each as ReflectMessage));
    } else if (field.fieldKind === "map") {
      const properties = message.message as unknown as Record<string, object>;
      const ownKeys = (map: object) => Reflect.ownKeys(map).sort((a, b) => compareBytes(String(a), String(b)));
      properties[field.localName] = new Proxy(properties[field.localName], { ownKeys });
    }
  }
}

/** Compares by code point, which is also the order of the UTF-8 bytes; `<` compares by UTF-16 unit. */
function compareBytes(a: string, b: string): number {
  const [left, right] = [Array.from(a), Array.from(b)];
  const at = left.findIndex((point, index) => point !== right[index]);
  return at < 0 || at >= right.length ? left.length - right.length : left[at].codePointAt(0)! - right[at].codePointAt(0)!;
}
