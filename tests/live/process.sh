# Starts, finds and ends processes by name. Sourced after settings.sh.
#
# $LIVE_DIR/run/NAME.sh is how the process is started, NAME.pid its pid and the kernel's start time of that pid: both
# must match before a signal is sent, so a process that was given the same pid later is never hit. Each process leads
# a group of its own, so that a stopped service stops with its workers.
# shellcheck shell=bash

start_time() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" {print $20}'; }

# alive NAME: is it running? Sets PID.
alive() {
  local since=''
  PID=''
  [[ -s $LIVE_DIR/run/$1.pid ]] && read -r PID since <"$LIVE_DIR/run/$1.pid" || return 1
  [[ -n $since && $(start_time "$PID") == "$since" ]]
}

gone() { ! alive "$1"; }

# define NAME COMMAND...: how NAME is started from now on; a running one that was started otherwise is ended.
define() {
  local name=$1 text
  shift
  text="exec$(printf ' %q' "$@")"
  if [[ $(cat "$LIVE_DIR/run/$name.sh" 2>/dev/null) != "$text" ]]; then
    end "$name"
    echo "$text" >"$LIVE_DIR/run/$name.sh"
  fi
}

# launch NAME: starts what was defined, unless it runs.
launch() {
  alive "$1" && return 0
  # fd 9 is the lock of `up`: a daemon must not keep it
  setsid bash "$LIVE_DIR/run/$1.sh" >>"$LIVE_DIR/log/$1.out" 2>&1 </dev/null 9>&- &
  echo "$! $(start_time $!)" >"$LIVE_DIR/run/$1.pid"
}

# end NAME: TERM, and KILL for the whole group after 10 s.
end() {
  local i
  if alive "$1"; then
    kill -CONT -- "-$PID" 2>/dev/null || true
    kill -TERM "$PID" 2>/dev/null || true
    for ((i = 0; i < 100; i++)); do
      alive "$1" || break
      sleep 0.1
    done
    if alive "$1"; then kill -KILL -- "-$PID" 2>/dev/null || true; fi
  fi
  rm -f "$LIVE_DIR/run/$1.pid"
}

# until_true SECONDS WHAT COMMAND...
until_true() {
  local limit=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS >= limit)); then
      find "$LIVE_DIR/log" -type f -mmin -1 -size +0 -exec tail -n 5 -v {} + | cut -c1-200 >&2
      die "gave up waiting for $what; the ends of the newest logs are above, the whole in $LIVE_DIR/log"
    fi
    sleep 0.1
  done
}

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
free_port() { alive "$1" || ! listening "$2" || die "port $2 is taken by a process that is not our $1; set LIVE_PORT"; }

# inside HOST COMMAND...: runs a command as root inside a VPN host's namespaces.
inside() {
  local host=$1
  shift
  alive "host-$host" || die "the host $host is not running"
  nsenter -t "$PID" -n -m -u -- "$@"
}
