# Tools in Python, each set at the versions and hashes of a requirements.txt. Sourced after tools.sh, from the repository's root.

# What $1/requirements.txt names, in $1/.venv; $2 says what that is.
python_venv() {
    local folder=$1 what=$2 venv=$1/.venv stamp=$1/.venv/.requirements
    if cmp -s "$folder/requirements.txt" "$stamp"; then return; fi
    if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
        echo "error: python3 with its venv module is not found" >&2
        echo "hint: on Debian or Ubuntu: apt-get install python3-venv" >&2
        exit 1
    fi
    echo "setup: $what, by pip in $venv" >&2
    # Anew: one that was broken off in the middle may lack anything.
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$folder/requirements.txt"
    cp "$folder/requirements.txt" "$stamp"
}

# halmos and slither, and forge where both look for it.
python_tools() {
    python_venv contracts "halmos and slither"
    PATH=$root/contracts/.venv/bin:$(dirname "$FORGE"):$PATH
    export PATH
}
