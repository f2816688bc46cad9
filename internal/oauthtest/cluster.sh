# cluster.sh DIRECTORY BINARIES PORT [REPLICA_PORT]: a throw-away PostgreSQL cluster that lives until standard input closes, with
# a streaming replica if that has a port. It prints "ready" when both answer, or what went wrong.
directory=$1 binaries=$2 port=$3 replica_port=$4

# Nothing here survives a crash, so nothing needs to reach the disk.
options="-h 127.0.0.1 -k $directory -c fsync=off -c full_page_writes=off -c autovacuum=off \
	-c max_connections=300 -c shared_buffers=16MB -c timezone=UTC"
if [ -n "$replica_port" ]; then
	streaming="-c wal_level=replica -c max_wal_senders=4"
else
	streaming="-c wal_level=minimal -c max_wal_senders=0 -c synchronous_commit=off"
fi

remove() {
	for data in "$directory/replica" "$directory/data"; do
		if server=$(head -n 1 "$data/postmaster.pid" 2>/dev/null); then # a test may have stopped its processes
			kill -CONT "$server" $(cat "/proc/$server/task/$server/children" 2>/dev/null) 2>/dev/null
		fi
		[ -d "$data" ] && "$binaries/pg_ctl" stop -D "$data" -m immediate >/dev/null 2>&1
	done
	rm -rf "$directory"
}
trap remove EXIT
trap 'exit 1' HUP INT TERM

start() { # DATA PORT
	"$binaries/pg_ctl" start -w -t 60 -D "$directory/$1" -l "$directory/$1.log" -o "-p $2 $options $streaming"
}

replicate() {
	"$binaries/pg_basebackup" -h 127.0.0.1 -p "$port" -U postgres -D "$directory/replica" -R -X stream -c fast --no-sync &&
	start replica "$replica_port"
}

{
	"$binaries/initdb" -D "$directory/data" -U postgres -A trust -E UTF8 --locale=C --no-sync &&
	start data "$port" &&
	{ [ -z "$replica_port" ] || replicate; }
} >"$directory/start.log" 2>&1 || {
	cat "$directory"/*.log
	exit 1
}

echo ready
cat >/dev/null
