//! A connection pool for each runtime.
//!
//! A connection is driven by tasks of the runtime that opened it. On another runtime, a call over
//! it would wait for those tasks, and in vain if their runtime is not running.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock, Weak},
    time::Duration,
};

use tokio::{
    runtime::{Handle, Id},
    sync::oneshot,
};

use crate::transport::{TransportError, reqwest::tls::Tls};

/// Builds the pools of a transport, which differ in nothing but their runtime.
pub(super) struct PoolFactory {
    pub(super) connect_timeout: Duration,
    pub(super) idle_timeout: Duration,
    pub(super) max_idle_connections: usize,
    pub(super) proxy: Option<reqwest::Proxy>,
    /// Loaded once and shared by all pools.
    pub(super) tls: Tls,
}

impl PoolFactory {
    pub(super) fn build(&self) -> reqwest::Result<reqwest::Client> {
        let builder = reqwest::Client::builder()
            // A redirect would send a signed request elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            // The client retries by itself. Without retries, requests are not copied for them.
            .retry(reqwest::retry::never().max_retries_per_request(0))
            .referer(false)
            // Features that the program enables for its own clients of reqwest do not change these.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .no_hickory_dns()
            .http1_only()
            .connect_timeout(self.connect_timeout)
            .pool_idle_timeout(self.idle_timeout)
            .pool_max_idle_per_host(self.max_idle_connections);
        // The variables of the environment have been read already.
        let builder = match &self.proxy {
            Some(proxy) => builder.proxy(proxy.clone()),
            None => builder.no_proxy(),
        };
        self.tls.apply(builder).build()
    }
}

/// The pools of the runtimes that have made calls and still exist.
pub(super) struct RuntimePools {
    factory: PoolFactory,
    pools: Arc<RwLock<Vec<RuntimePool>>>,
}

struct RuntimePool {
    runtime: Id,
    http: reqwest::Client,
    /// Ends the task that watches the runtime once the pool is dropped.
    _watched: oneshot::Sender<()>,
}

impl RuntimePools {
    pub(super) fn new(factory: PoolFactory) -> Self {
        Self { factory, pools: Arc::default() }
    }

    /// Sends a request by the pool of the current runtime.
    pub(super) fn execute(
        &self,
        request: reqwest::Request,
    ) -> Result<impl Future<Output = reqwest::Result<reqwest::Response>>, TransportError> {
        let runtime = Handle::try_current().map_err(|_| {
            TransportError::not_connected("no Tokio runtime: call the client within one.")
                .permanent()
        })?;
        let id = runtime.id();
        let pools = self.pools.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(http) = find(&pools, id) {
            return Ok(http.execute(request));
        }
        drop(pools);
        Ok(self.open(&runtime)?.execute(request))
    }

    /// Opens the pool of a runtime, which is dropped with the runtime.
    fn open(&self, runtime: &Handle) -> Result<reqwest::Client, TransportError> {
        let id = runtime.id();
        let (watched, pool_dropped) = oneshot::channel();
        let mut pools = self.pools.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread of the runtime may have been faster.
        if let Some(http) = find(&pools, id) {
            return Ok(http.clone());
        }
        let http = self.factory.build().map_err(|error| {
            TransportError::not_connected("the HTTP client cannot be built.")
                .permanent()
                .with_source(error.without_url())
        })?;
        pools.push(RuntimePool { runtime: id, http: http.clone(), _watched: watched });
        drop(pools);
        let watch = RuntimeWatch { runtime: id, pools: Arc::downgrade(&self.pools) };
        runtime.spawn(async move {
            let _watch = watch;
            let _ = pool_dropped.await;
        });
        Ok(http)
    }
}

fn find(pools: &[RuntimePool], id: Id) -> Option<&reqwest::Client> {
    pools.iter().find(|pool| pool.runtime == id).map(|pool| &pool.http)
}

/// Drops the pool of a runtime. A runtime drops it with its other tasks when it shuts down.
struct RuntimeWatch {
    runtime: Id,
    pools: Weak<RwLock<Vec<RuntimePool>>>,
}

impl Drop for RuntimeWatch {
    fn drop(&mut self) {
        let Some(pools) = self.pools.upgrade() else {
            return;
        };
        let mut guard = pools.write().unwrap_or_else(PoisonError::into_inner);
        let closed: Vec<_> = guard.extract_if(.., |pool| pool.runtime == self.runtime).collect();
        drop(guard);
        // Closes the connections, without the lock.
        drop(closed);
    }
}

impl fmt::Debug for RuntimePools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimePools").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pools() -> RuntimePools {
        RuntimePools::new(PoolFactory {
            connect_timeout: Duration::from_secs(1),
            idle_timeout: Duration::from_secs(1),
            max_idle_connections: 1,
            proxy: None,
            tls: Tls::disabled(),
        })
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    /// Opens the pool of the current runtime, for a request that is not sent.
    fn open(pools: &RuntimePools) -> Result<(), TransportError> {
        let url = url::Url::parse("http://127.0.0.1:1/").unwrap();
        pools.execute(reqwest::Request::new(http::Method::GET, url)).map(drop)
    }

    #[test]
    fn a_pool_ends_with_its_runtime() {
        let pools = pools();
        let count = || pools.pools.read().unwrap().len();
        assert!(!open(&pools).unwrap_err().is_transient, "there is no runtime");
        for _ in 0..100 {
            let runtime = runtime();
            for _ in 0..3 {
                runtime.block_on(async { open(&pools).unwrap() });
            }
            assert_eq!(count(), 1);
        }
        assert_eq!(count(), 0);
        let parked: Vec<_> = (0..3).map(|_| runtime()).collect();
        for runtime in &parked {
            runtime.block_on(async { open(&pools).unwrap() });
        }
        assert_eq!(count(), 3);
        drop(parked);
        assert_eq!(count(), 0);
    }

    #[test]
    fn the_task_of_a_pool_ends_with_the_transport() {
        let runtime = runtime();
        let pools = pools();
        runtime.block_on(async { open(&pools).unwrap() });
        let tasks = || runtime.metrics().num_alive_tasks();
        assert_eq!(tasks(), 1);
        drop(pools);
        runtime.block_on(tokio::task::yield_now());
        assert_eq!(tasks(), 0);
    }
}
