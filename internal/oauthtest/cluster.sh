# cluster.sh DIRECTORY BINARIES PORT: a throw-away PostgreSQL cluster that lives until standard input closes. It prints
# "ready" when the server answers, or what went wrong.
directory=$1 binaries=$2 port=$3

remove() {
	"$binaries/pg_ctl" stop -D "$directory/data" -m immediate >/dev/null 2>&1
	rm -rf "$directory"
}
trap remove EXIT
trap 'exit 1' HUP INT TERM

{
	# Nothing here survives a crash, so nothing needs to reach the disk.
	"$binaries/initdb" -D "$directory/data" -U postgres -A trust -E UTF8 --locale=C --no-sync &&
	"$binaries/pg_ctl" start -w -t 60 -D "$directory/data" -l "$directory/server.log" -o "-p $port -h 127.0.0.1 -k $directory \
		-c fsync=off -c full_page_writes=off -c synchronous_commit=off -c wal_level=minimal -c max_wal_senders=0 \
		-c autovacuum=off -c max_connections=300 -c shared_buffers=16MB -c timezone=UTC"
} >"$directory/start.log" 2>&1 || {
	cat "$directory"/*.log
	exit 1
}

echo ready
cat >/dev/null
