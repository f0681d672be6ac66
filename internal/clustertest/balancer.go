package clustertest

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// LoadBalancer listens on loopback and hands connections to the targets (host:port) in turn, as they come; a target that does not answer is passed
// over. It returns its own address.
func LoadBalancer(tb testing.TB, targets ...string) string {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	var next atomic.Int64
	var open sync.WaitGroup
	var all sync.Map // connections, to be closed at the end
	open.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			all.Store(in, nil)
			open.Go(func() {
				defer in.Close()
				defer all.Delete(in)
				for range targets {
					out, err := net.Dial("tcp", targets[int(next.Add(1)-1)%len(targets)])
					if err == nil {
						join(in, out)
						return
					}
				}
			})
		}
	})
	tb.Cleanup(func() {
		listener.Close()
		all.Range(func(conn, _ any) bool {
			conn.(net.Conn).Close()
			return true
		})
		open.Wait()
	})
	return listener.Addr().String()
}

// join copies both ways until one side ends.
func join(a, b net.Conn) {
	var done sync.WaitGroup
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		done.Go(func() {
			_, _ = io.Copy(way[0], way[1]) // either end may go at any time
			a.Close()
			b.Close()
		})
	}
	done.Wait()
}
