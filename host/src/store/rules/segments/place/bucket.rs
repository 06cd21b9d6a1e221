//! Segment files in a bucket that speaks S3.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{ObjectStore as _, ObjectStoreExt as _, RetryConfig, WriteMultipart};

use super::{Archive, Lost, NoBucket};

/// How often and how long a request is tried again.
const RETRIES: usize = 3;
/// Bytes that are read of a file at once, and parts of it that are under way.
const PART_BYTES: u64 = 1 << 20;
const PARTS_AT_ONCE: usize = 4;
const PATIENCE: Duration = Duration::from_secs(30);

/// A bucket and the beginning of all names in it.
#[derive(Debug, Clone)]
pub struct Bucket {
    s3: Arc<AmazonS3>,
    name: String,
    prefix: Path,
}

impl Bucket {
    /// Opens a bucket with what the environment says about S3; nothing is asked of it yet.
    pub fn open(name: &str, prefix: &str) -> Result<Bucket, NoBucket> {
        let plain = std::env::var("AWS_ALLOW_HTTP").is_ok_and(|allowed| allowed == "true");
        // A second call finds the first one's provider, which is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let retry = RetryConfig { max_retries: RETRIES, retry_timeout: PATIENCE, ..RetryConfig::default() };
        let s3 = AmazonS3Builder::from_env()
            .with_allow_http(plain)
            .with_bucket_name(name)
            .with_retry(retry)
            .build()
            .map_err(|error| NoBucket::Refused { bucket: name.to_owned(), words: error.to_string().into() })?;
        Ok(Bucket { s3: Arc::new(s3), name: name.to_owned(), prefix: Path::from(prefix) })
    }

    pub fn shown(&self) -> String {
        format!("s3://{}/{}", self.name, self.prefix)
    }

    pub async fn put(&self, name: &str, bytes: Vec<u8>) -> Result<(), Lost> {
        self.s3.put(&self.at(name), bytes.into()).await.map(drop).map_err(|error| self.lost(&error))
    }

    /// Sends a file in parts.
    pub async fn put_file(&self, name: &str, file: &std::path::Path) -> Result<(), Lost> {
        let place = self.shown();
        let away = |words: String| Lost::Away { place: place.clone(), words: words.into() };
        let upload = self.s3.put_multipart(&self.at(name)).await.map_err(|error| self.lost(&error))?;
        let mut upload = WriteMultipart::new(upload);
        let from = Archive::directory(file.parent().unwrap_or(std::path::Path::new(".")));
        let of_file = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut at = 0;
        loop {
            let part = Box::pin(from.read(&of_file, at..at + PART_BYTES)).await?;
            if part.is_empty() {
                break;
            }
            at += part.len() as u64;
            upload.wait_for_capacity(PARTS_AT_ONCE).await.map_err(|error| away(error.to_string()))?;
            upload.write(&part);
        }
        upload.finish().await.map(drop).map_err(|error| away(error.to_string()))
    }

    pub async fn read(&self, name: &str, range: Range<u64>) -> Result<Vec<u8>, Lost> {
        let read = self.s3.get_range(&self.at(name), range).await;
        read.map(|bytes| bytes.to_vec()).map_err(|error| self.lost(&error))
    }

    pub async fn remove(&self, name: &str) -> Result<(), Lost> {
        self.s3.delete(&self.at(name)).await.map_err(|error| self.lost(&error))
    }

    pub async fn names(&self) -> Result<Vec<String>, Lost> {
        let listed = self.s3.list_with_delimiter(Some(&self.prefix)).await.map_err(|error| self.lost(&error))?;
        Ok(listed.objects.iter().filter_map(|object| object.location.filename().map(str::to_owned)).collect())
    }

    fn at(&self, name: &str) -> Path {
        self.prefix.clone().join(name)
    }

    fn lost(&self, error: &object_store::Error) -> Lost {
        match error {
            object_store::Error::NotFound { .. } => Lost::Missing { place: self.shown() },
            other => Lost::Away { place: self.shown(), words: other.to_string().into() },
        }
    }
}
