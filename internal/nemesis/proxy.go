package nemesis

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Proxy is a TCP proxy between an instance and PostgreSQL that injects network
// faults. A new Proxy forwards everything.
type Proxy struct {
	address string

	mutex    sync.Mutex
	target   string
	listener net.Listener // nil while connections are refused
	links    map[*link]bool
	gate     chan struct{} // closed while data may pass
	workers  sync.WaitGroup

	delay atomic.Int64
	lose  atomic.Pointer[func(statement string) bool]
	lost  atomic.Int64
}

// link is a connection through a Proxy.
type link struct {
	proxy          *Proxy
	client, server net.Conn
	closed         chan struct{}
	once           sync.Once
	losing         atomic.Bool // drop the reply to the current statement
}

// NewProxy returns a Proxy that listens on a loopback port and forwards connections
// to target, a host:port.
func NewProxy(target string) (*Proxy, error) {
	p := &Proxy{target: target, links: map[*link]bool{}, gate: make(chan struct{})}
	close(p.gate)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p.address, p.listener = listener.Addr().String(), listener
	p.workers.Go(func() { p.accept(listener) })
	return p, nil
}

// Address returns the proxy's host:port.
func (p *Proxy) Address() string { return p.address }

// Lost returns the number of replies dropped so far.
func (p *Proxy) Lost() int { return int(p.lost.Load()) }

// Stall stops all data in both directions and keeps connections open, like a network
// that drops packets.
func (p *Proxy) Stall() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.gate = make(chan struct{})
}

// Resume ends Stall.
func (p *Proxy) Resume() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	select {
	case <-p.gate:
	default:
		close(p.gate)
	}
}

// Delay delays each message to the server by d. If 0, none is delayed.
func (p *Proxy) Delay(d time.Duration) { p.delay.Store(int64(d)) }

// LoseReplies forwards each statement that chosen selects, waits until the server has
// finished it, and then closes the connection without forwarding the reply. If chosen
// is nil, no reply is dropped.
func (p *Proxy) LoseReplies(chosen func(statement string) bool) {
	if chosen == nil {
		p.lose.Store(nil)
		return
	}
	p.lose.Store(&chosen)
}

// Refuse closes the port and all connections. Accept opens the port again.
func (p *Proxy) Refuse() {
	p.mutex.Lock()
	if p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
	p.mutex.Unlock()
	p.Cut()
}

// Accept ends Refuse.
func (p *Proxy) Accept() error {
	listener, err := net.Listen("tcp", p.address)
	if err != nil {
		return err
	}
	p.mutex.Lock()
	p.listener = listener
	p.mutex.Unlock()
	p.workers.Go(func() { p.accept(listener) })
	return nil
}

// Cut closes all connections. New ones are accepted.
func (p *Proxy) Cut() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for l := range p.links {
		l.close()
	}
}

// Redirect sends new connections to another server.
func (p *Proxy) Redirect(target string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.target = target
}

// Close closes the Proxy and waits for its goroutines.
func (p *Proxy) Close() {
	p.Refuse()
	p.workers.Wait()
}

func (p *Proxy) accept(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		p.workers.Go(func() { p.connect(client) })
	}
}

func (p *Proxy) connect(client net.Conn) {
	p.mutex.Lock()
	target := p.target
	p.mutex.Unlock()
	server, err := net.DialTimeout("tcp", target, 5*time.Second)
	if err != nil {
		_ = client.Close()
		return
	}
	l := &link{proxy: p, client: client, server: server, closed: make(chan struct{})}
	p.mutex.Lock()
	refused := p.listener == nil
	p.links[l] = true
	p.mutex.Unlock()
	if refused {
		l.close()
	}
	p.workers.Go(func() { defer l.close(); l.replies() })
	l.statements()
	l.close()
	p.mutex.Lock()
	delete(p.links, l)
	p.mutex.Unlock()
}

func (l *link) close() {
	l.once.Do(func() {
		close(l.closed)
		_ = l.client.Close()
		_ = l.server.Close()
	})
}

// wait waits until data may pass. It returns false if the connection is
// closed before.
func (l *link) wait() bool {
	l.proxy.mutex.Lock()
	gate := l.proxy.gate
	l.proxy.mutex.Unlock()
	select {
	case <-gate:
	case <-l.closed:
		return false
	}
	if d := time.Duration(l.proxy.delay.Load()); d > 0 {
		select {
		case <-time.After(d):
		case <-l.closed:
			return false
		}
	}
	return true
}

// errProtocol reports a message that no PostgreSQL client sends.
var errProtocol = errors.New("nemesis: malformed message")

// readMessage reads a message of the PostgreSQL protocol. Its type comes first,
// except for the first message of a connection.
func readMessage(from io.Reader, typed bool) ([]byte, error) {
	head := make([]byte, 4, 64)
	if typed {
		head = head[:5]
	}
	if _, err := io.ReadFull(from, head); err != nil {
		return nil, err
	}
	size := int(binary.BigEndian.Uint32(head[len(head)-4:])) - 4
	if size < 0 || size > 1<<24 {
		return nil, errProtocol
	}
	message := append(head, make([]byte, size)...)
	_, err := io.ReadFull(from, message[len(head):])
	return message, err
}

// statements forwards the client's messages and notes which statement each
// executes. Messages up to one that requires an answer are sent together, as the
// client sent them.
func (l *link) statements() {
	client := bufio.NewReader(l.client)
	first, err := readMessage(client, false)
	if err != nil || !l.send(first) {
		return
	}
	prepared := map[string]string{} // texts of the prepared statements
	var batch []byte
	var chosen bool
	for {
		message, err := readMessage(client, true)
		if err != nil {
			return
		}
		if statement := executed(message, prepared); statement != "" {
			lose := l.proxy.lose.Load()
			chosen = chosen || lose != nil && (*lose)(statement)
		}
		batch = append(batch, message...)
		if kind := message[0]; kind == 'P' || kind == 'B' || kind == 'D' || kind == 'E' || kind == 'C' {
			continue // extended protocol, until Sync
		}
		if chosen {
			l.losing.Store(true)
		}
		if !l.send(batch) {
			return
		}
		batch, chosen = batch[:0], false
	}
}

func (l *link) send(data []byte) bool {
	if !l.wait() {
		return false
	}
	_, err := l.server.Write(data)
	return err == nil
}

// executed returns the statement that a message executes, or "".
func executed(message []byte, prepared map[string]string) string {
	kind, body := message[0], message[5:]
	name, rest, _ := bytes.Cut(body, []byte{0})
	switch kind {
	case 'Q': // Query: text
		return string(name)
	case 'P': // Parse: name, text
		text, _, _ := bytes.Cut(rest, []byte{0})
		prepared[string(name)] = string(text)
	case 'B': // Bind: portal, name of the prepared statement
		statement, _, _ := bytes.Cut(rest, []byte{0})
		return prepared[string(statement)]
	}
	return ""
}

// replies forwards the server's messages to the client.
func (l *link) replies() {
	server := bufio.NewReader(l.server)
	for {
		message, err := readMessage(server, true)
		if err != nil || !l.wait() {
			return
		}
		if l.losing.Load() {
			if message[0] == 'Z' { // ReadyForQuery: the server has finished
				l.proxy.lost.Add(1)
				return
			}
			continue
		}
		if _, err := l.client.Write(message); err != nil {
			return
		}
	}
}
