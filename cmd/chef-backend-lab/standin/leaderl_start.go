//go:build linux

package standin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"
)

// epmdPatience is how long leaderl waits for epmd, which may be starting too.
const epmdPatience = 5 * time.Second

// begin takes leaderl's name and port. Without epmd, or when its name is taken,
// Erlang ends with raw terms instead of log lines; their shape is that of
// chef-server issue 1111.
func (l *leaderl) begin(ctx context.Context) error {
	err := l.register(ctx)
	if err == nil {
		err = l.listen(ctx)
	}
	if err != nil {
		crash(time.Now(), posix(err))
	}
	return err
}

// register asks epmd for its names.
func (l *leaderl) register(ctx context.Context) error {
	for end := time.Now().Add(epmdPatience); ; {
		conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", epmdPort), time.Second)
		if err == nil {
			return conn.Close()
		}
		if time.Now().After(end) {
			return err
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
}

// posix is an error by the name that Erlang has for it.
func posix(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "econnrefused"
	case errors.Is(err, syscall.EADDRINUSE):
		return "eaddrinuse"
	}
	return "etimedout"
}

// crash prints the end of an Erlang node. The time is the local one.
func crash(now time.Time, why string) {
	at := strings.NewReplacer("-", ",", " ", "},{", ":", ",").Replace(now.Format("2006-1-2 15:4:5"))
	head := "{error_logger,{{" + at + "}},"
	fmt.Println(head + `"Protocol: ~tp: register/listen error: ~tp~n",["inet_tcp",` + why + `]}`)
	fmt.Println(head + `crash_report,[[{initial_call,{net_kernel,init,['Argument__1']}},{pid,<0.21.0>},{registered_name,[]},` +
		`{error_info,{exit,{error,badarg},[{gen_server,init_it,6,[{file,"gen_server.erl"},{line,344}]}]}}],[]]}`)
	fmt.Println(`{"Kernel pid terminated",application_controller,"{application_start_failure,kernel,{{shutdown,{failed_to_start_child,net_sup,` +
		`{shutdown,{failed_to_start_child,net_kernel,{'EXIT',nodistribution}}}}},{kernel,start,[normal,[]]}}}"}`)
	fmt.Println("Root: " + optDir + "/embedded/service/leaderl")
}
