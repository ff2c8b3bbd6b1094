set -eu
send() { curl -fsS "$STREAM" -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' "$@"; }

send -X PUT
for n in 1 2 3; do
  send -d "{\"n\":$n}" -H 'Producer-Id: notes-1' -H 'Producer-Epoch: 0' -H "Producer-Seq: $((n - 1))"
done
send -X POST -H 'Stream-Closed: true'
