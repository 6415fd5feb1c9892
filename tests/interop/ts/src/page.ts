// The testee in a page: protobuf-es, calls by connect-web. `testee.answer` takes a TesteeRequest and returns a
// TesteeResponse, both in base64.

import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { base64Decode, base64Encode } from "@bufbuild/protobuf/wire";
import { createConnectTransport } from "@connectrpc/connect-web";
import { TesteeRequestSchema, TesteeResponseSchema } from "./testee_pb.js";
import * as operations from "./operations.js";

const caller = operations.connectCaller(({ target = "", json }) => {
  if (!target.startsWith("http://")) {
    throw new operations.Unsupported(`no calls to ${target}`);
  }
  return createConnectTransport({ baseUrl: target, useBinaryFormat: !json });
});

export async function answer(request: string): Promise<string> {
  const response = await operations.answer(fromBinary(TesteeRequestSchema, base64Decode(request)), caller);
  return base64Encode(toBinary(TesteeResponseSchema, response));
}
