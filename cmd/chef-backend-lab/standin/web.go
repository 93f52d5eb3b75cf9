//go:build linux

package standin

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// serveHTTP answers on an open port until the context ends; it does not block.
func serveHTTP(ctx context.Context, port net.Listener, h http.Handler) {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = s.Serve(port) }()
	go func() {
		<-ctx.Done()
		_ = s.Close()
	}()
}

var quick = &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{
	DialContext: (&net.Dialer{Timeout: time.Second}).DialContext, DisableKeepAlives: true}}

// getText fetches a small page; false when it does not come with status 200
// within two seconds.
func getText(ctx context.Context, url string) (string, bool) {
	text, err := fetch(ctx, url)
	return text, err == nil
}

// fetch is getText with the reason.
func fetch(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := quick.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status)
	}
	return string(raw), err
}
