//! An S3-compatible object store.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, ClientOptions, Error, ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions,
    RetryConfig, UpdateVersion,
};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::error::TargetError;
use crate::target::{File, Found, Target};

/// The longest object that is read back: a checkpoint, or our own note.
const LONGEST: u64 = 2 << 20;

/// Where a bucket is.
#[derive(Clone, Debug)]
pub struct BucketPlace {
    /// The bucket's name.
    pub bucket: String,
    /// What stands before each path, without a slash at its end; empty for none.
    pub prefix: String,
    /// The region.
    pub region: String,
    /// The URL of the service, if it is not the region's own. Only a loopback address may do without TLS.
    pub endpoint: Option<String>,
    /// The account, if it does not come from the environment or the machine.
    pub credentials: Option<Credentials>,
}

/// An account of the object store.
#[derive(Clone)]
pub struct Credentials {
    /// The access key's id.
    pub access_key: String,
    /// Its secret.
    pub secret_key: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({}, hidden)", self.access_key)
    }
}

/// How long and how much at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Requests under way at one time; at least one.
    pub concurrency: usize,
    /// For one request.
    pub request: Duration,
    /// For one file with all its retries.
    pub file: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { concurrency: 8, request: Duration::from_secs(30), file: Duration::from_secs(120) }
    }
}

/// A bucket as a target.
#[derive(Debug)]
pub struct BucketTarget {
    store: Arc<AmazonS3>,
    prefix: String,
    limits: Limits,
    runtime: Runtime,
}

impl BucketTarget {
    /// The bucket at `place`. Nothing is asked of it yet.
    ///
    /// # Errors
    /// If the place makes no sense.
    pub fn open(place: &BucketPlace, limits: Limits) -> Result<Self, TargetError> {
        // The first one to install a provider wins; all of ours are the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let failed = |source: BoxedError| TargetError { doing: "open", path: place.bucket.clone(), source };
        let store = store(place, limits).map_err(|error| failed(error.into()))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| failed(error.into()))?;
        Ok(Self { store: Arc::new(store), prefix: place.prefix.clone(), limits, runtime })
    }

    fn location(&self, path: &str) -> Path {
        if self.prefix.is_empty() { Path::from(path) } else { Path::from(format!("{}/{path}", self.prefix)) }
    }

    /// Does something for each path, so many at a time, each within its time. The first failure ends it.
    fn each<T, F>(
        &self,
        doing: &'static str,
        all: Vec<(String, T)>,
        work: impl Fn(Arc<AmazonS3>, Path, T) -> F,
    ) -> Result<(), TargetError>
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        self.runtime.block_on(async {
            let mut under_way = JoinSet::new();
            let mut waiting = all.into_iter();
            loop {
                while under_way.len() < self.limits.concurrency.max(1)
                    && let Some((path, what)) = waiting.next()
                {
                    let done = work(Arc::clone(&self.store), self.location(&path), what);
                    let done = tokio::time::timeout(self.limits.file, done);
                    under_way.spawn(async move {
                        let source: BoxedError = match done.await {
                            Ok(Ok(())) => return Ok(()),
                            Ok(Err(error)) => error.into(),
                            Err(late) => late.into(),
                        };
                        Err(TargetError { doing, path, source })
                    });
                }
                match under_way.join_next().await {
                    None => return Ok(()),
                    Some(Ok(done)) => done?,
                    Some(Err(source)) => {
                        return Err(TargetError { doing, path: self.prefix.clone(), source: source.into() });
                    }
                }
            }
        })
    }
}

type BoxedError = Box<dyn std::error::Error + Send + Sync>;

fn store(place: &BucketPlace, limits: Limits) -> Result<AmazonS3, Error> {
    let loopback = |url: &String| {
        ["http://127.0.0.1:", "http://[::1]:", "http://localhost:"].iter().any(|start| url.starts_with(start))
    };
    let options = ClientOptions::new()
        .with_user_agent(reqwest::header::HeaderValue::from_static(concat!(
            "placet/",
            env!("CARGO_PKG_VERSION")
        )))
        .with_allow_http(place.endpoint.as_ref().is_some_and(loopback))
        .with_timeout(limits.request)
        .with_connect_timeout(limits.request.min(Duration::from_secs(10)));
    let retry = RetryConfig { max_retries: 5, retry_timeout: limits.file, ..RetryConfig::default() };
    let builder = match &place.credentials {
        Some(Credentials { access_key, secret_key }) => {
            AmazonS3Builder::new().with_access_key_id(access_key).with_secret_access_key(secret_key)
        }
        None => AmazonS3Builder::from_env(),
    };
    let builder = builder.with_bucket_name(&place.bucket).with_region(&place.region);
    let builder = match &place.endpoint {
        Some(url) => builder.with_endpoint(url),
        None => builder,
    };
    builder.with_client_options(options).with_retry(retry).build()
}

/// How an object is stored.
fn options(file: &File, mode: PutMode) -> PutOptions {
    let attributes = Attributes::from_iter([
        (Attribute::ContentType, file.content_type()),
        (Attribute::CacheControl, file.cache_control()),
    ]);
    PutOptions { mode, attributes, ..PutOptions::default() }
}

impl Target for BucketTarget {
    fn read(&mut self, path: &str) -> Result<Option<Found>, TargetError> {
        let failed = |source: BoxedError| TargetError { doing: "read", path: path.to_owned(), source };
        let (store, location) = (Arc::clone(&self.store), self.location(path));
        let get = async {
            let got = store.get(&location).await?;
            if got.meta.size > LONGEST {
                return Err(Error::Generic { store: "S3", source: "the object is too long".into() });
            }
            let version = got.meta.e_tag.clone();
            Ok(Found { bytes: got.bytes().await?.to_vec(), version })
        };
        match self.runtime.block_on(async { tokio::time::timeout(self.limits.file, get).await }) {
            Ok(Ok(found)) => Ok(Some(found)),
            Ok(Err(Error::NotFound { .. })) => Ok(None),
            Ok(Err(error)) => Err(failed(error.into())),
            Err(late) => Err(failed(late.into())),
        }
    }

    fn write(&mut self, files: Vec<File>) -> Result<(), TargetError> {
        let all = files.into_iter().map(|file| (file.path.clone(), file)).collect();
        self.each("write", all, |store, location, file| async move {
            let options = options(&file, PutMode::Overwrite);
            store.put_opts(&location, file.bytes.into(), options).await.map(|_| ())
        })
    }

    fn publish(&mut self, checkpoint: File, before: Option<&Found>) -> Result<(), TargetError> {
        // Two exporters cannot set the checkpoint back: it is replaced only if it is still the one that was read.
        let mode = match before {
            None => PutMode::Create,
            Some(found) => PutMode::Update(UpdateVersion { e_tag: found.version.clone(), version: None }),
        };
        let all = vec![(checkpoint.path.clone(), (checkpoint, mode))];
        self.each("publish", all, |store, location, (file, mode)| async move {
            let options = options(&file, mode);
            store.put_opts(&location, file.bytes.into(), options).await.map(|_| ())
        })
    }

    fn remove(&mut self, paths: &[String]) -> Result<(), TargetError> {
        let all = paths.iter().map(|path| (path.clone(), ())).collect();
        self.each("remove", all, |store, location, ()| async move {
            match store.delete(&location).await {
                Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(error),
            }
        })
    }
}
