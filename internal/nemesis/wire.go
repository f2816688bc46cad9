package nemesis

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"time"
)

// wire is a connection to an instance for prepared requests. It costs a load
// generator less than net/http.
type wire struct {
	connection net.Conn
	reader     *bufio.Reader
}

func dial(address string, limit time.Duration) (*wire, error) {
	connection, err := net.DialTimeout("tcp", address, limit)
	if err != nil {
		return nil, err
	}
	return &wire{connection: connection, reader: bufio.NewReaderSize(connection, 2048)}, nil
}

func (w *wire) close() { _ = w.connection.Close() }

// answer holds the parts of a response that a load generator needs.
type answer struct {
	status     int
	retryAfter bool
	last       bool // the server closes the connection
}

// errResponse reports a response that is not HTTP.
var errResponse = errors.New("nemesis: malformed response")

// send sends a prepared request and waits for the answer for at most limit.
func (w *wire) send(request []byte, limit time.Duration) (answer, error) {
	if err := w.connection.SetDeadline(time.Now().Add(limit)); err != nil {
		return answer{}, err
	}
	if _, err := w.connection.Write(request); err != nil {
		return answer{}, err
	}
	return w.receive()
}

func (w *wire) receive() (answer, error) {
	line, err := w.reader.ReadSlice('\n')
	if err != nil {
		return answer{}, err
	}
	if len(line) < 12 {
		return answer{}, errResponse
	}
	got := answer{}
	if got.status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return got, errResponse
	}
	length, chunked := 0, false
	for {
		if line, err = w.reader.ReadSlice('\n'); err != nil {
			return got, err
		}
		name, value, found := bytes.Cut(bytes.TrimSpace(line), []byte(": "))
		if !found {
			break
		}
		switch string(bytes.ToLower(name)) {
		case "content-length":
			if length, err = strconv.Atoi(string(value)); err != nil {
				return got, errResponse
			}
		case "transfer-encoding":
			chunked = true
		case "retry-after":
			got.retryAfter = true
		case "connection":
			got.last = string(value) == "close"
		}
	}
	if chunked {
		return got, w.discardChunks()
	}
	_, err = w.reader.Discard(length)
	return got, err
}

func (w *wire) discardChunks() error {
	for {
		line, err := w.reader.ReadSlice('\n')
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 32)
		if err != nil {
			return errResponse
		}
		if _, err := io.CopyN(io.Discard, w.reader, size+2); err != nil {
			return err
		}
		if size == 0 {
			return nil
		}
	}
}

// prepareForm returns the bytes of a POST request with a form and the credentials of
// an application, or without credentials if clientID is empty.
func prepareForm(address, path, clientID string, form url.Values) []byte {
	body := form.Encode()
	credentials := ""
	if clientID != "" {
		credentials = "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(clientID+":"+clientSecret)) + "\r\n"
	}
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\n%sContent-Type: application/x-www-form-urlencoded\r\n"+
		"Content-Length: %d\r\n\r\n%s", path, address, credentials, len(body), body)
}

// prepareGet returns the bytes of a GET request.
func prepareGet(address, path string) []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, address)
}
