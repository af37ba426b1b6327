//! Clients of the local server.

use uhub_local::LocalUhub;

use crate::{config::builder::ClientBuilder, credentials::key_pair::Credentials};

impl ClientBuilder {
    /// Creates a builder for a client of a [local server](crate::local): with the server's base URL
    /// and the credentials and project of its first user.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use uhub_sdk::ClientBuilder;
    /// use uhub_sdk::local::{LocalUhub, Repository};
    ///
    /// let server = LocalUhub::builder().repository(Repository::documented()).start().await?;
    /// let client = ClientBuilder::for_local(&server).build()?;
    /// let page = client.get_repo_image("idkTdEFo").send().await?;
    /// assert_eq!(page.total_count, 9);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A blocking client needs a Tokio runtime with threads of its own for the server, kept for as
    /// long as the server:
    ///
    /// ```
    /// # #[cfg(feature = "blocking")]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use uhub_sdk::ClientBuilder;
    /// use uhub_sdk::local::{LocalUhub, Repository};
    ///
    /// let runtime = tokio::runtime::Runtime::new()?; // Tokio's feature `rt-multi-thread`
    /// let builder = LocalUhub::builder().repository(Repository::documented());
    /// let server = runtime.block_on(builder.start())?;
    /// let client = ClientBuilder::for_local(&server).build_blocking()?;
    /// assert_eq!(client.get_repo_image("idkTdEFo").send()?.total_count, 9);
    /// runtime.block_on(server.stop())?;
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "blocking"))]
    /// # fn main() {}
    /// ```
    pub fn for_local(server: &LocalUhub) -> Self {
        let credentials = Credentials::new(server.public_key(), server.private_key());
        let credentials = match server.security_token() {
            None => credentials,
            Some(token) => credentials.with_security_token(token),
        };
        Self::default()
            .base_url(server.base_url())
            .credentials(credentials)
            .project_id(server.project_id())
    }
}
