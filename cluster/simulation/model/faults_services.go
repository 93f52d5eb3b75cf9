package model

import "time"

// serviceStories are about services that do not do their work.
var serviceStories = []story{
	{"postgresql-down", "PostgreSQL does not start on a follower", func(w *World) func() { return postgresqlDown(w.lastFollower()) }},
	{"postgresql-down-leader", "PostgreSQL does not start on the leader, and failover is switched off", postgresqlDownLeader},
	{"postgresql-starting", "PostgreSQL on a follower takes minutes to recover", func(w *World) func() { return postgresqlStarting(w, 3*time.Minute) }},
	{"postgresql-starting-stuck", "PostgreSQL on a follower never ends its recovery", func(w *World) func() { return postgresqlStarting(w, never) }},
	{"etcd-down", "etcd does not start on a follower", func(w *World) func() { return etcdDown(w.lastFollower()) }},
	{"etcd-down-leader", "etcd does not start on the leader's node", func(w *World) func() { return etcdDown(w.leading()) }},
	{"etcd-quorum-lost", "etcd does not start on both followers", etcdQuorumLost},
	{"etcd-slow", "The disks are too slow for etcd", etcdSlow},
	{"leaderl-down", "leaderl does not start on a follower", func(w *World) func() { return leaderlDown(w.lastFollower()) }},
	{"leaderl-down-leader", "leaderl does not start on the leader", func(w *World) func() { return leaderlDown(w.leading()) }},
	{"leaderl-not-joining", "leaderl on a follower starts and never joins the others", leaderlNotJoining},
	{"leaderl-crash-loop", "leaderl on a follower crashes again and again", func(w *World) func() { return leaderlCrashes(w.lastFollower()) }},
	{"epmd-down", "epmd does not start on a follower, and so leaderl cannot", epmdDown},
	{"supervisor-down", "runit's supervisors are gone on a follower", supervisorDown},
	{"service-hung", "leaderl on a follower stands and does not answer", func(w *World) func() { return hangs(w.lastFollower(), "leaderl") }},
	{"service-hung-etcd", "etcd on a follower stands and does not answer", func(w *World) func() { return hangs(w.lastFollower(), "etcd") }},
	{"service-hung-postgresql", "PostgreSQL on a follower stands and does not answer", func(w *World) func() { return hangs(w.lastFollower(), "postgresql") }},
	{"service-hung-elasticsearch", "Elasticsearch on a follower stands and does not answer", func(w *World) func() { return hangs(w.lastFollower(), "elasticsearch") }},
	{"elasticsearch-down", "Elasticsearch does not start on a follower", func(w *World) func() { return elasticsearchDown(w.lastFollower()) }},
	{"elasticsearch-down-leader", "Elasticsearch does not start on the leader", func(w *World) func() { return elasticsearchDown(w.leading()) }},
	{"elasticsearch-red", "A shard of the search index has no copy that can be opened", elasticsearchRed},
	{"elasticsearch-degraded", "A shard of the search index lacks its second copy", elasticsearchDegraded},
}

func postgresqlDown(n *node) func() {
	n.breakService("postgresql", &breakage{lives: 300 * time.Millisecond, stuck: true, lines: []string{
		"FATAL:  lock file \"postmaster.pid\" already exists",
		"HINT:  Is another postmaster (PID 11290) running in data directory \"" + dataDir + "\"?",
	}})
	return nil
}

// postgresqlDownLeader: leaderl would hand over within half a minute, but may
// not.
func postgresqlDownLeader(w *World) func() {
	heal := failoverDisabled(w)
	postgresqlDown(w.leading())
	return heal
}

// postgresqlStarting is a crash with much to replay.
func postgresqlStarting(w *World, takes time.Duration) func() {
	g := w.lastFollower().pg
	g.redoTime = takes
	g.n.service("postgresql").kill()
	return func() { g.redoTime = 0 }
}

func etcdDown(n *node) func() {
	n.breakService("etcd", &breakage{lives: 400 * time.Millisecond, stuck: true, lines: []string{
		"{clock} I | etcdmain: etcd Version: 2.3.8",
		"{clock} C | etcdmain: listen tcp " + n.address + ":2380: bind: address already in use",
	}})
	return nil
}

func etcdQuorumLost(w *World) func() {
	for _, n := range w.followers() {
		etcdDown(n)
	}
	return nil
}

// etcdSlow: the nodes' disks lie on one storage that is slow.
func etcdSlow(w *World) func() {
	w.lag = 700 * time.Millisecond
	return func() { w.lag, w.stall = 0, time.Time{} }
}

// leaderlDown: an old process holds leaderl's lock; chef-backend-ctl ends it.
// The line is invented after those of chpst.
func leaderlDown(n *node) func() {
	n.breakService("leaderl", &breakage{lives: 900 * time.Millisecond, stuck: true, lines: []string{
		"chpst: fatal: unable to lock: " + leaderlData + "/lock: temporary failure",
	}})
	return nil
}

// nodistribution is how leaderl ends without a name in epmd: raw Erlang terms,
// of the shapes of chef-server's issue 1111.
func nodistribution(first string) []string {
	return []string{
		first,
		"{error_logger,{erlang},crash_report,[[{initial_call,{net_kernel,init,['Argument__1']}},{pid,<0.21.0>},{registered_name,[]},{error_info,{exit,{error,badarg},[{gen_server,init_it,6,[{file,\"gen_server.erl\"},{line,344}]},{proc_lib,init_p_do_apply,3,[{file,\"proc_lib.erl\"},{line,240}]}]}}],[]]}",
		"{error_logger,{erlang},supervisor_report,[{supervisor,{local,net_sup}},{errorContext,start_error},{reason,{'EXIT',nodistribution}}]}",
		"Kernel pid terminated (application_controller) ({application_start_failure,kernel,{{shutdown,{failed_to_start_child,net_sup,{shutdown,{failed_to_start_child,net_kernel,{'EXIT',nodistribution}}}}},{k",
	}
}

// leaderlCrashes: an old leaderl holds the Erlang name; chef-backend-ctl ends it.
func leaderlCrashes(n *node) func() {
	n.breakService("leaderl", &breakage{lives: 900 * time.Millisecond, stuck: true, lines: nodistribution(
		"{error_logger,{erlang},\"Protocol: ~tp: the name leaderl@127.0.0.1 seems to be in use by another Erlang node\",[\"inet_tcp\"]}",
	)})
	return nil
}

// leaderlNotJoining: the start of leaderl goes as far as in chef-server's
// issue 1473 and no further. A restart mends it.
func leaderlNotJoining(w *World) func() {
	n := w.lastFollower()
	n.leaderl.hanging = true
	n.service("leaderl").term()
	return nil
}

// epmdDown: an epmd that hangs holds the port; a new one cannot bind it.
// leaderl is restarted a moment later, and cannot register.
func epmdDown(w *World) func() {
	n := w.lastFollower()
	n.breakService("epmd", &breakage{lives: 200 * time.Millisecond, stuck: true, lines: []string{
		"epmd: failed to bind on ipaddr 0.0.0.0: Address already in use", // after erts' epmd_srv.c
	}})
	w.in(2*time.Second, n.service("leaderl").term)
	return nil
}

// unregistered is what a start of leaderl gets where epmd does not answer.
var unregistered = &breakage{lives: 900 * time.Millisecond, lines: nodistribution(
	"{error_logger,{erlang},\"Protocol: ~tp: register/listen error: ~tp~n\",[\"inet_tcp\",econnrefused]}",
)}

// supervisorDown: runsvdir and its runsv are gone. What runs runs on, and
// nobody starts or stops it. Whoever starts runsvdir again gets new processes.
func supervisorDown(w *World) func() {
	n := w.lastFollower()
	n.adrift = true
	return func() {
		n.adrift = false
		for _, s := range n.services {
			s.logPID, s.logSince = n.nextPID(), w.now
			if s.up {
				s.want = true
				s.kill()
			}
		}
	}
}

// hangs stops a process in its tracks.
func hangs(n *node, service string) func() {
	s := n.service(service)
	s.hung = true
	return func() { s.hung = false }
}

func elasticsearchDown(n *node) func() {
	n.breakService("elasticsearch", &breakage{lives: 4 * time.Second, stuck: true, lines: []string{
		"Exception in thread \"main\" java.lang.IllegalStateException: failed to obtain node locks, tried [[/var/opt/chef-backend/elasticsearch/data]] with lock id [0]; maybe these locations are not writable or multiple nodes were started without increasing [node.max_local_storage_nodes] (was [1])?",
	}})
	return nil
}

// elasticsearchRed: both copies of a shard cannot be opened. A restart of the
// node that held the better one lets Elasticsearch try again.
func elasticsearchRed(w *World) func() {
	n := w.lastFollower()
	w.index.primaryLost, w.index.on = true, n
	n.es.log("WARN", "o.e.i.c.IndicesClusterStateService", "[[chef][3]] marking and sending shard failed due to [shard failure, reason [corrupt file (source: [start])]]")
	return func() { w.index.reassigned(n) }
}

// elasticsearchDegraded: a shard's second copy gave up after five attempts, as
// Elasticsearch does (index.allocation.max_retries).
func elasticsearchDegraded(w *World) func() {
	n := w.lastFollower()
	w.index.replicaLost, w.index.on = true, n
	n.es.log("WARN", "o.e.i.c.IndicesClusterStateService", "[[chef][1]] marking and sending shard failed due to [failed to create shard]")
	return func() { w.index.reassigned(n) }
}
