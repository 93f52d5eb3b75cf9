package remote

import (
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// proxied is a connection through a ProxyCommand, which talks to the server on
// its standard input and output.
type proxied struct {
	net.Conn
	command *exec.Cmd
	ended   chan struct{}
}

// dialProxy starts the user's own ProxyCommand, as ssh does. It has no terminal:
// it can neither ask nor write over the screen. Closing the connection ends it.
func dialProxy(command string) (net.Conn, error) {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, err
	}
	syscall.CloseOnExec(pair[0])
	syscall.CloseOnExec(pair[1])
	ours, theirs := os.NewFile(uintptr(pair[0]), "proxy"), os.NewFile(uintptr(pair[1]), "proxy")
	defer ours.Close() // the connection has a copy
	defer theirs.Close()
	conn, err := net.FileConn(ours)
	if err != nil {
		return nil, err
	}
	shell := first(os.Getenv("SHELL"), "/bin/sh")
	c := exec.Command(shell, "-c", "exec "+command)
	c.Stdin, c.Stdout = theirs, theirs
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := c.Start(); err != nil {
		conn.Close()
		return nil, err
	}
	p := &proxied{Conn: conn, command: c, ended: make(chan struct{})}
	go func() {
		defer Guard()
		defer close(p.ended)
		c.Wait()
	}()
	return p, nil
}

// Close ends the connection and the command, which has a moment to end by
// itself.
func (p *proxied) Close() error {
	err := p.Conn.Close()
	select {
	case <-p.ended:
	default:
		syscall.Kill(-p.command.Process.Pid, syscall.SIGTERM)
		time.AfterFunc(time.Second, func() {
			select {
			case <-p.ended:
			default:
				syscall.Kill(-p.command.Process.Pid, syscall.SIGKILL)
			}
		})
	}
	return err
}
