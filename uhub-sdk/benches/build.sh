#!/bin/sh
# What a program pays to build with this crate, beside the same program with bare reqwest: crates,
# CPU time of a clean build, and the size of a stripped release binary.
#
#     uhub-sdk/benches/build.sh [FEATURES [REQWEST_FEATURES]]
#
# FEATURES are those of uhub-sdk, by default its own default features; "" is none of them.
# REQWEST_FEATURES are the same for reqwest. For example:
#
#     uhub-sdk/benches/build.sh default default   # each with its own TLS
#     uhub-sdk/benches/build.sh "" ""             # without TLS
#
# It downloads the dependencies first, and builds with one target directory for each program.
# CPU time is that of all processes of the build, user and system, so that a busy machine changes
# little.
set -eu

features=${1-default}
reqwest_features=${2-$features}
crate=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Makes a program: its name, its dependency, and its source from standard input.
program() {
    mkdir -p "$work/$1/src"
    cat > "$work/$1/src/main.rs"
    cat > "$work/$1/Cargo.toml" << END
[package]
name = "$1"
version = "0.0.0"
edition = "2024"

[dependencies]
$2
tokio = { version = "1", features = ["macros", "rt-multi-thread"] }

[profile.release]
strip = true

[workspace]
END
    # The same versions for both, as far as they have them.
    cp "$crate/../Cargo.lock" "$work/$1/Cargo.lock" 2> /dev/null || true
    (cd "$work/$1" && cargo fetch --quiet)
}

# Prints features as TOML.
list() {
    printf '%s' "$1" | sed 's/[^,]*/"&"/g; s/""//g'
}

program bare "reqwest = { version = \"0.13\", default-features = false, features = [$(list "$reqwest_features")] }
serde = { version = \"1\", features = [\"derive\"] }
serde_json = \"1\"" << 'END'
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    ret_code: i64,
    total_count: i64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let request = reqwest::Client::new().post("https://api.surfercloud.com/").body("Action=GetRepoImage");
    let page: Page = serde_json::from_slice(&request.send().await?.bytes().await?)?;
    println!("{} {}", page.ret_code, page.total_count);
    Ok(())
}
END
program ours "uhub-sdk = { path = \"$crate\", default-features = false, features = [$(list "$features")] }" << 'END'
#[tokio::main]
async fn main() -> Result<(), uhub_sdk::Error> {
    let client = uhub_sdk::Client::from_env()?;
    let page = client.get_repo_image("base").limit(9).send().await?;
    println!("{page:?}");
    Ok(())
}
END

# Prints the CPU time of a command, in seconds.
cpu() {
    (
        "$@" > "$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
        # Not in a pipe, whose shell has no children.
        times > "$work/times"
    )
    # The second line is that of the children.
    sed -n '2s/[ms]/ /gp' "$work/times" | awk '{ printf "%.1f", $1 * 60 + $2 + $3 * 60 + $4 }'
}

printf '%-8s %8s %12s %14s %14s\n' program crates 'debug build' 'release build' 'binary, bytes'
for name in bare ours; do
    cd "$work/$name"
    crates=$(cargo tree --edges normal,build --prefix none --no-dedupe | sed 's/ (\*)//' | sort -u | wc -l)
    debug=$(cpu cargo build --quiet --target-dir target)
    release=$(cpu cargo build --quiet --release --target-dir target)
    size=$(wc -c < "target/release/$name")
    rm -rf target
    printf '%-8s %8s %10s s %12s s %14s\n' "$name" "$((crates - 1))" "$debug" "$release" "$size"
    eval "${name}_debug=$debug ${name}_release=$release ${name}_size=$size"
done
awk "BEGIN { printf \"%-8s %8s %12.2f %14.2f %14.2f\n\", \"ratio\", \"\", $ours_debug / $bare_debug, \
    $ours_release / $bare_release, $ours_size / $bare_size }"
