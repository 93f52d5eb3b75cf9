package logs

import "math/bits"

// longestWindow bounds how far the search may skip at once; beyond it nothing
// is won.
const longestWindow = 12

// build makes the tables of the prefilter. Every literal is represented by a
// window of the length of the shortest one, placed where its pairs of bytes
// are rare in logs.
func (m *Matcher) build(filters []filter) {
	if len(filters) == 0 {
		return
	}
	m.window = longestWindow
	for _, f := range filters {
		m.window = min(m.window, len(f.text))
	}
	for i := range m.shift {
		m.shift[i] = byte(m.window - 1)
	}
	for _, f := range filters {
		start := rarestWindow(f.text, m.window)
		f.after = len(f.text) - start - m.window
		w := f.text[start : start+m.window]
		for i := 0; i+1 < len(w); i++ {
			far := byte(len(w) - 2 - i)
			for _, pair := range pairsOf(w[i], w[i+1], f.fold) {
				m.shift[pair] = min(m.shift[pair], far)
				if far == 0 {
					m.chain(pair, f)
				}
			}
		}
	}
}

func (m *Matcher) chain(pair uint16, f filter) {
	if m.bucket[pair] == 0 {
		m.chains = append(m.chains, nil)
		m.bucket[pair] = uint16(len(m.chains))
	}
	c := &m.chains[m.bucket[pair]-1]
	*c = append(*c, f)
}

// pairsOf are the pairs of bytes that stand for two bytes of a literal.
func pairsOf(a, b byte, fold bool) []uint16 {
	as, bs := []byte{a}, []byte{b}
	if fold {
		as, bs = bothCases(a), bothCases(b)
	}
	var pairs []uint16
	for _, x := range as {
		for _, y := range bs {
			pairs = append(pairs, uint16(x)<<8|uint16(y))
		}
	}
	return pairs
}

func bothCases(c byte) []byte {
	if c >= 'a' && c <= 'z' {
		return []byte{c, c - 'a' + 'A'}
	}
	return []byte{c}
}

// rarestWindow is where in a literal the window is best placed. The last pair
// weighs most: there the search stops and compares.
func rarestWindow(text string, n int) int {
	best, lowest := 0, -1
	for start := 0; start+n <= len(text); start++ {
		cost := 8 * common(text[start+n-2]) * common(text[start+n-1])
		for i := start; i < start+n-2; i++ {
			cost += common(text[i]) * common(text[i+1]) * 4 / (start + n - 2 - i)
		}
		if lowest < 0 || cost < lowest {
			best, lowest = start, cost
		}
	}
	return best
}

// common grades how often a byte stands in a log: roughly per hundred bytes,
// as counted in samples of etcd, PostgreSQL and leaderl.
func common(c byte) int {
	switch c {
	case ' ':
		return 14
	case 'e', 't', 'a', 'r', 'o', 'n', 'i', 's':
		return 7
	case '0', '1', '2', 'd', 'l', 'c', 'm':
		return 4
	case '3', '4', '5', '6', '7', '8', '9', '.', ':', '"', '/', '-', 'f', 'h', 'p', 'u', 'g':
		return 3
	}
	return 1
}

func lowest(b uint64) int { return bits.TrailingZeros64(b) }
