package tui

// The least terminal in which everything can be done.
const (
	leastWidth  = 80
	leastHeight = 24
)

// rect is a place on the screen, in cells.
type rect struct{ x, y, w, h int }

// pane is a part of the screen that can have the keys.
type pane int

// The panes in the order of Tab.
const (
	paneAlarms pane = iota
	paneNodes
	paneBoard
	paneLogs
	paneCount
)

// layout is where everything stands. It depends on the terminal's size alone,
// never on what is shown, so that nothing ever jumps.
type layout struct {
	w, h int
	ok   bool // the terminal is large enough

	situation rect
	ribbon    rect // a thin rule that carries a message where there is one
	nodes     rect
	board     rect // empty where it shares its place with the logs
	alarms    rect
	logs      rect
	footer    rect
	rules     []rect

	panes  bool // three panes of nodes; else one row for each
	extra  int  // further rows in each pane of a node
	beside bool // board and alarms stand beside each other
}

// newLayout places everything on a terminal of w × h cells with n nodes.
func newLayout(w, h, n int) layout {
	l := layout{w: w, h: h, ok: w >= leastWidth && h >= leastHeight}
	if !l.ok {
		return l
	}
	n = max(n, 1)
	l.panes = w/n >= 36 && h >= 34
	l.beside = w >= 180 && h >= 34
	if h >= 48 {
		l.extra = 4
	}
	boardRows, alarmRows, nodeRows := l.heights(n)
	y := 0
	take := func(rows int) rect {
		r := rect{0, y, w, rows}
		y += rows
		return r
	}
	rule := func() { l.rules = append(l.rules, take(1)) }
	l.situation, l.ribbon = take(1), take(1)
	l.nodes = take(nodeRows)
	rule()
	switch {
	case l.beside:
		l.board = take(boardRows)
		l.board.w = min(124, w*3/5)
		l.alarms = rect{l.board.w + 1, l.board.y, w - l.board.w - 1, boardRows}
		rule()
	case boardRows > 0:
		l.board = take(boardRows)
		rule()
		fallthrough
	default:
		l.alarms = take(alarmRows)
		rule()
	}
	l.logs = take(h - y - 2)
	l.ok = l.logs.h >= 2 // more nodes than three leave less
	rule()
	l.footer = take(1)
	return l
}

// heights are the rows of board, alarms and nodes.
func (l layout) heights(n int) (board, alarms, nodes int) {
	board, alarms, nodes = n+2, alarmRowsFor(l.h), n+1
	if l.beside {
		board = max(board+2, alarms)
		if l.h >= 48 {
			board += 2 // for the titles that a row of the narrower pane cuts
		}
		alarms = board
	} else if l.h < 30 {
		board = 0
	}
	if l.panes {
		nodes = paneRows + l.extra
	}
	return board, alarms, nodes
}

// alarmRowsFor is the height of the alarms with their head: five rows of
// them where there is room.
func alarmRowsFor(h int) int {
	switch {
	case h >= 38:
		return 6
	case h >= 34:
		return 5
	}
	return 4
}
