//! The testee in Rust: prost for messages, prost-reflect for JSON, tonic for calls.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    io::{self, Read, Write},
    pin::Pin,
    sync::LazyLock,
    time::Duration,
};

use prost::{DecodeError, Message};
use prost_reflect::{
    DescriptorPool, DeserializeOptions, DynamicMessage, MessageDescriptor, ReflectMessage,
    SerializeOptions,
};
use stubs::gatewayentities::v1::WatchGatewayResponse;
use stubs::testee::v1::{
    Call, CallError, TesteeRequest, TesteeResponse, Updates, testee_request::Operation,
    testee_response::Result as Answer,
};
use tonic::{
    Request, Status, Streaming,
    metadata::{AsciiMetadataKey, AsciiMetadataValue},
    transport::{Channel, Endpoint},
};

mod stubs {
    include!(concat!(env!("OUT_DIR"), "/stubs.rs"));
}

macro_rules! reflect {
    ($message:ty, $name:literal) => {
        impl ReflectMessage for $message {
            fn descriptor(&self) -> MessageDescriptor {
                POOL.get_message_by_name($name)
                    .expect("a message of the descriptors")
            }
        }
    };
}

// The functions `kind`, `method` and `stream`, which build.rs generates: from a message's name or a method's path to its
// implementation.
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
    let mut following = None;
    while let Some(bytes) = next(&mut input)? {
        let request = TesteeRequest::decode(bytes.as_slice())?;
        let response = TesteeResponse {
            result: Some(
                runtime
                    .block_on(answer(request, &mut following))
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

async fn answer(
    request: TesteeRequest,
    following: &mut Option<Box<dyn Following>>,
) -> Result<Answer, Failure> {
    let kind = || {
        let name = request.message_type();
        kind(name).ok_or_else(|| Failure::Unsupported(format!("message type {name:?}")))
    };
    Ok(match &request.operation {
        Some(Operation::Decode(bytes)) => Answer::Proto((kind()?.recode)(bytes)?),
        Some(Operation::ToJson(bytes)) => Answer::Json((kind()?.to_json)(bytes)?),
        Some(Operation::FromJson(json)) => Answer::Proto((kind()?.from_json)(json)?),
        // The maps of the stubs are ordered, so every encoding is deterministic.
        Some(Operation::Digest(bytes)) => Answer::Digest(sha256(&(kind()?.recode)(bytes)?)),
        Some(Operation::Call(call)) => Answer::Proto(method(channel(call)?, call).await?),
        Some(Operation::Stream(call)) => {
            *following = None;
            *following = Some(stream(channel(call)?, call).await?);
            next_of(following).await?
        }
        Some(Operation::Next(_)) => next_of(following).await?,
        // Dropping a stream ends it.
        Some(Operation::Cancel(_)) => {
            *following = None;
            Answer::Ended(true)
        }
        Some(Operation::Mirror(updates)) => Answer::Digest(mirror(updates)?),
        Some(Operation::Schema(_)) | None => return Err(Failure::Unsupported("operation".into())),
    })
}

/// The current stream, of any type of messages.
trait Following {
    fn next(&mut self) -> Pin<Box<dyn Future<Output = Result<Option<Vec<u8>>, Status>> + '_>>;
}

impl<M: Message> Following for Streaming<M> {
    fn next(&mut self) -> Pin<Box<dyn Future<Output = Result<Option<Vec<u8>>, Status>> + '_>> {
        Box::pin(async { Ok(self.message().await?.map(|message| message.encode_to_vec())) })
    }
}

async fn next_of(following: &mut Option<Box<dyn Following>>) -> Result<Answer, Failure> {
    let next = match following {
        Some(stream) => stream.next().await?,
        None => None,
    };
    Ok(next.map_or(Answer::Ended(true), Answer::Proto))
}

/// Computes the digest of the resources after these updates, as AcknowledgeGatewayRevisionRequest describes it.
fn mirror(updates: &Updates) -> Result<String, Failure> {
    let mut etags = BTreeMap::new();
    let mut whole = true;
    for data in &updates.messages {
        let update = WatchGatewayResponse::decode(data.as_slice())?;
        // A snapshot replaces everything, in its first part.
        if whole && update.is_snapshot() {
            etags.clear();
        }
        whole = !update.is_partial();
        for each in &update.removed {
            etags.remove(&format!("{} {}", each.noun(), each.id()));
        }
        for each in &update.resources {
            let key = format!("{} {}", each.noun(), each.id());
            etags.insert(key, each.content_etag().to_string());
        }
    }
    let lines: BTreeSet<_> = etags
        .iter()
        .map(|(key, etag)| format!("{key} {etag}\n"))
        .collect();
    Ok(sha256(String::from_iter(lines).as_bytes()))
}

fn sha256(bytes: &[u8]) -> String {
    let digest = hmac_sha256::Hash::hash(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
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
    for (name, value) in &call.metadata {
        let malformed = || Failure::Unsupported(format!("metadata {name:?}"));
        let key = AsciiMetadataKey::from_bytes(name.as_bytes()).map_err(|_| malformed())?;
        let value = AsciiMetadataValue::try_from(value.as_str()).map_err(|_| malformed())?;
        request.metadata_mut().insert(key, value);
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
                details: stubs::google::rpc::Status::decode(status.details())
                    .map(|status| status.details)
                    .unwrap_or_default(),
            }),
        }
    }
}
