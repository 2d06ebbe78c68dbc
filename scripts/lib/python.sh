# halmos and slither in contracts/.venv, at the versions and hashes of contracts/requirements.txt, and forge where both look for it.
# Sourced after tools.sh, from the repository's root.
python_tools() {
    local venv=$root/contracts/.venv stamp=$root/contracts/.venv/.requirements
    if ! cmp -s contracts/requirements.txt "$stamp"; then
        if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
            echo "error: python3 with its venv module is not found" >&2
            echo "hint: on Debian or Ubuntu: apt-get install python3-venv" >&2
            exit 1
        fi
        echo "setup: halmos and slither, by pip in contracts/.venv" >&2
        python3 -m venv "$venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes \
            -r contracts/requirements.txt
        cp contracts/requirements.txt "$stamp"
    fi
    PATH=$venv/bin:$(dirname "$FORGE"):$PATH
    export PATH
}
