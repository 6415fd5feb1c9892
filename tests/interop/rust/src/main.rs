//! The testee in Rust: prost for messages, prost-reflect for JSON, tonic for calls.

use std::{
    error::Error,
    io::{self, Read, Write},
    sync::LazyLock,
    time::Duration,
};

use prost::{DecodeError, Message};
use prost_reflect::{
    DescriptorPool, DeserializeOptions, DynamicMessage, ReflectMessage, SerializeOptions,
};
use stubs::testee::v1::{
    Call, CallError, TesteeRequest, TesteeResponse, testee_request::Operation,
    testee_response::Result as Answer,
};
use tonic::{
    Request, Status,
    transport::{Channel, Endpoint},
};

mod stubs {
    include!(concat!(env!("OUT_DIR"), "/stubs.rs"));
}

// The functions `kind` and `method`, which build.rs generates: from a message's name or a method's path to its implementation.
include!(concat!(env!("OUT_DIR"), "/table.rs"));

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    let descriptors = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.binpb"));
    DescriptorPool::decode(descriptors.as_slice()).expect("descriptors of the compiler")
});

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    while let Some(bytes) = next(&mut input)? {
        let request = TesteeRequest::decode(bytes.as_slice())?;
        let response = TesteeResponse {
            result: Some(
                runtime
                    .block_on(answer(request))
                    .unwrap_or_else(Answer::from),
            ),
        };
        output.write_all(&response.encode_length_delimited_to_vec())?;
        output.flush()?;
    }
    Ok(())
}

/// Reads one size-delimited message, or nothing at the end of the input.
fn next(input: &mut impl Read) -> Result<Option<Vec<u8>>, Box<dyn Error>> {
    let mut length = Vec::new();
    while length.last().is_none_or(|byte| byte & 0x80 != 0) {
        let mut byte = [0];
        if input.read(&mut byte)? == 0 {
            return if length.is_empty() {
                Ok(None)
            } else {
                Err("the input ends within a length".into())
            };
        }
        length.push(byte[0]);
    }
    let mut message = vec![0; prost::decode_length_delimiter(length.as_slice())?];
    input.read_exact(&mut message)?;
    Ok(Some(message))
}

async fn answer(request: TesteeRequest) -> Result<Answer, Failure> {
    let kind = || {
        let name = request.message_type();
        kind(name).ok_or_else(|| Failure::Unsupported(format!("message type {name:?}")))
    };
    Ok(match &request.operation {
        Some(Operation::Decode(bytes)) => Answer::Proto((kind()?.recode)(bytes)?),
        Some(Operation::ToJson(bytes)) => Answer::Json((kind()?.to_json)(bytes)?),
        Some(Operation::FromJson(json)) => Answer::Proto((kind()?.from_json)(json)?),
        // The maps of the stubs are ordered, so every encoding is deterministic.
        Some(Operation::Digest(bytes)) => {
            let digest = hmac_sha256::Hash::hash(&(kind()?.recode)(bytes)?);
            Answer::Digest(digest.iter().map(|byte| format!("{byte:02x}")).collect())
        }
        Some(Operation::Call(call)) => Answer::Proto(method(channel(call)?, call).await?),
        None => return Err(Failure::Unsupported("operation".into())),
    })
}

/// Operations on messages of one type.
struct Kind {
    recode: fn(&[u8]) -> Result<Vec<u8>, Failure>,
    to_json: fn(&[u8]) -> Result<String, Failure>,
    from_json: fn(&str) -> Result<Vec<u8>, Failure>,
}

impl Kind {
    fn of<M: Message + Default + ReflectMessage>() -> Self {
        Kind {
            recode: |bytes| Ok(M::decode(bytes)?.encode_to_vec()),
            to_json: |bytes| {
                let mut json = serde_json::Serializer::new(Vec::new());
                let options = SerializeOptions::new().use_proto_field_name(true);
                M::decode(bytes)?
                    .transcode_to_dynamic()
                    .serialize_with_options(&mut json, &options)?;
                Ok(String::from_utf8(json.into_inner()).expect("JSON is UTF-8"))
            },
            from_json: |json| {
                let mut reader = serde_json::Deserializer::from_str(json);
                let options = DeserializeOptions::new().deny_unknown_fields(false);
                let message = DynamicMessage::deserialize_with_options(
                    M::default().descriptor(),
                    &mut reader,
                    &options,
                )?;
                reader.end()?;
                Ok(message.transcode_to::<M>()?.encode_to_vec())
            },
        }
    }
}

fn channel(call: &Call) -> Result<Channel, Failure> {
    let unsupported = || Failure::Unsupported(format!("target {:?}", call.target()));
    let address = call
        .target()
        .strip_prefix("grpc://")
        .ok_or_else(unsupported)?;
    Ok(Endpoint::from_shared(format!("http://{address}"))
        .map_err(|_| unsupported())?
        .connect_lazy())
}

fn request<M: Message + Default>(call: &Call) -> Result<Request<M>, Failure> {
    let mut request = Request::new(M::decode(call.request())?);
    if let Some(milliseconds) = call.timeout_ms {
        request.set_timeout(Duration::from_millis(milliseconds.max(0) as u64));
    }
    Ok(request)
}

enum Failure {
    Parse(String),
    Call(Box<Status>),
    Unsupported(String),
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        Failure::Parse(error.to_string())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Failure::Parse(error.to_string())
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Failure::Call(Box::new(status))
    }
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Parse(message) => Answer::ParseError(message),
            Failure::Unsupported(what) => Answer::Unsupported(what),
            Failure::Call(status) => Answer::CallError(CallError {
                code: Some(status.code() as i32),
                message: Some(status.message().to_string()),
                // Malformed details are ignored: the error itself is still reported.
                details: tonic_types::Status::decode(status.details())
                    .map(|status| status.details)
                    .unwrap_or_default(),
            }),
        }
    }
}
