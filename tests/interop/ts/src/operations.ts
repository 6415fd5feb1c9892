// Operations of a testee except the transport of calls: the same code in Node.js and in a page.

import { create, createRegistry, fromBinary, fromJsonString, toBinary, toJsonString } from "@bufbuild/protobuf";
import type { DescFile, DescMessage, DescMethodUnary, Message, MessageInitShape } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import type { ReflectMessage } from "@bufbuild/protobuf/reflect";
import type { AnySchema } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { CallErrorSchema, TesteeResponseSchema } from "./testee_pb.js";
import type { Call, CallError, TesteeRequest, TesteeResponse } from "./testee_pb.js";
import * as v1 from "gateway-entities/gatewayentities/v1";

type Result = TesteeResponse["result"];
export type Caller = (method: DescMethodUnary, request: Message, call: Call) => Promise<Message>;

export class Unsupported extends Error {}

/** A call's failure, in the protocol's form. */
export class CallFailure extends Error {
  constructor(readonly error: CallError) {
    super(error.message);
  }
}

const registry = createRegistry(
  ...Object.values<object>(v1).filter((each): each is DescFile => "kind" in each && each.kind === "file"),
);

/** Serves a request. `caller` makes its calls. */
export async function answer(request: TesteeRequest, caller: Caller): Promise<TesteeResponse> {
  return create(TesteeResponseSchema, { result: await result(request, caller) });
}

async function result({ messageType, operation }: TesteeRequest, caller: Caller): Promise<Result> {
  try {
    if (operation.case === "call") {
      return { case: "proto", value: await call(operation.value, caller) };
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
  const [, service = "", name] = (call.path ?? "").split("/");
  const method = registry
    .getService(service)
    ?.methods.find((each): each is DescMethodUnary => each.name === name && each.methodKind === "unary");
  if (method === undefined) {
    throw new Unsupported(`no method ${call.path}`);
  }
  const response = await caller(method, fromBinary(method.input, call.request ?? new Uint8Array()), call);
  return toBinary(method.output, response);
}

/** Converts a Connect call's failure to the protocol's form. */
export function connectFailure(error: unknown): CallFailure {
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
  const hash = await crypto.subtle.digest("SHA-256", toBinary(schema, message) as Uint8Array<ArrayBuffer>);
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
