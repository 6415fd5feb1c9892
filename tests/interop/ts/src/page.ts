// The testee in a page: protobuf-es, calls by connect-web. `testee.answer` takes a TesteeRequest and returns a
// TesteeResponse, both in base64.

import { fromBinary, toBinary } from "@bufbuild/protobuf";
import type { DescMethodUnary, Message } from "@bufbuild/protobuf";
import { base64Decode, base64Encode } from "@bufbuild/protobuf/wire";
import { createConnectTransport } from "@connectrpc/connect-web";
import { TesteeRequestSchema, TesteeResponseSchema } from "./testee_pb.js";
import type { Call } from "./testee_pb.js";
import * as operations from "./operations.js";

async function call(method: DescMethodUnary, request: Message, { target = "", json, timeoutMs }: Call): Promise<Message> {
  if (!target.startsWith("http://")) {
    throw new operations.Unsupported(`no calls to ${target}`);
  }
  const transport = createConnectTransport({ baseUrl: target, useBinaryFormat: !json });
  try {
    return (await transport.unary(method, undefined, timeoutMs, undefined, request)).message;
  } catch (error) {
    throw operations.connectFailure(error);
  }
}

export async function answer(request: string): Promise<string> {
  const response = await operations.answer(fromBinary(TesteeRequestSchema, base64Decode(request)), call);
  return base64Encode(toBinary(TesteeResponseSchema, response));
}
