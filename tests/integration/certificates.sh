# Certificates for a run, made by openssl into $certs. Read with `source`, after lib.sh.
# shellcheck shell=bash

authority() { # NAME
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$1" \
        -keyout "${certs:?}/$1.key" -out "$certs/$1.crt" 2>/dev/null
}

certificate() { # NAME CA SUBJECT ALTERNATIVE_NAMES [DAYS [KEY_OPTIONS...]]
    local name=$1 ca=$2 subject=$3 alternatives=$4 days=${5:-30}; shift $(( $# < 5 ? $# : 5 ))
    (( $# )) || set -- ec -pkeyopt ec_paramgen_curve:P-256
    openssl req -newkey "$@" -nodes -subj "$subject" -keyout "$certs/$name.key" -out "$certs/$name.csr" 2>/dev/null
    openssl x509 -req -in "$certs/$name.csr" -CA "$certs/$ca.crt" -CAkey "$certs/$ca.key" -CAcreateserial -days "$days" \
        -extfile <(echo "subjectAltName=$alternatives") -out "$certs/$name.crt" 2>/dev/null
}

# A copy whose signature does not fit any more, with the same key. Its form is right, so that programs show it.
spoiled() { # NAME OF
    openssl x509 -in "$certs/$2.crt" -outform der | /usr/bin/python3 -c '
import sys
data = bytearray(sys.stdin.buffer.read())
data[-1] ^= 1
sys.stdout.buffer.write(data)' | openssl x509 -inform der -out "$certs/$1.crt"
    cp "$certs/$2.key" "$certs/$1.key"
}

# In $certs: an authority `ca` and this host's certificate `here` of it, for servers that the unprivileged user runs.
make_one_certificate() {
    certs=$folder/certs
    mkdir "$certs"
    authority ca
    certificate here ca /CN=localhost DNS:localhost,IP:127.0.0.1
    chmod 600 "$certs"/*.key
    own_by_unprivileged "$certs" "$certs"/*
}
