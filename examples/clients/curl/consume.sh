set -eu
curl -fsSN "$STREAM?offset=-1&live=events" -H "Authorization: Bearer $KEY" | sed -un 's/^data: {"n":\([0-9]*\)}$/\1/p'
