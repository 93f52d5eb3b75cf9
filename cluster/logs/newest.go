package logs

// Newest is the sequence number of the newest placed line; 0 for none. It does
// not wait for the network.
func (l *Logs) Newest() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.store.next - 1
}
