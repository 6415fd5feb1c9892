// The testee protocol's frame: requests on standard input, a response to each on standard output.

import { sizeDelimitedDecodeStream, sizeDelimitedEncode } from "@bufbuild/protobuf/wire";
import { TesteeRequestSchema, TesteeResponseSchema } from "./testee_pb.js";
import type { TesteeRequest, TesteeResponse } from "./testee_pb.js";

/** Serves requests, one after the other, until the input ends. */
export async function serve(answer: (request: TesteeRequest) => Promise<TesteeResponse>): Promise<void> {
  for await (const request of sizeDelimitedDecodeStream(TesteeRequestSchema, process.stdin)) {
    const frame = sizeDelimitedEncode(TesteeResponseSchema, await answer(request));
    await new Promise<void>((written, failed) =>
      process.stdout.write(frame, (error) => (error ? failed(error) : written())),
    );
  }
}
