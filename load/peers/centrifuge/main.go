// A chat server of the least size on centrifuge, the library that Centrifugo is made of: customers
// are subscribed to a channel of their own, whose missed messages are recovered after a return, and
// to one that all share, whose leaves the agent is told. The library has no grace: a leave is told
// when the connection is lost.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/centrifugal/centrifuge"
)

// Who connects, as they say themselves: nobody else reaches this server.
type who struct {
	Customer uint32 `json:"customer"`
	Agent    bool   `json:"agent"`
}

const present = "present"

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "the address to listen on")
	heartbeat := flag.Duration("heartbeat", 25*time.Second, "time between two pings to a client")
	window := flag.Duration("window", 3*time.Minute, "how long missed messages are kept")
	version := flag.Bool("version", false, "say which library this is made of")
	flag.Parse()
	if *version {
		fmt.Println("centrifuge", library())
		return
	}
	node, err := centrifuge.New(centrifuge.Config{
		LogLevel: centrifuge.LogLevelError,
		// The agent is told of everybody, at a mass drop of many at once.
		ClientQueueMaxSize: 64 << 20,
	})
	if err != nil {
		log.Fatal(err)
	}
	node.OnConnecting(func(_ context.Context, event centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return connecting(event)
	})
	node.OnConnect(func(client *centrifuge.Client) {
		client.OnPublish(func(event centrifuge.PublishEvent, done centrifuge.PublishCallback) {
			result, err := node.Publish(event.Channel, event.Data, centrifuge.WithHistory(100, *window))
			done(centrifuge.PublishReply{Result: &result}, err)
		})
	})
	if err := node.Run(); err != nil {
		log.Fatal(err)
	}
	http.Handle("/connection/websocket", centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{
		CheckOrigin:        func(*http.Request) bool { return true },
		UseWriteBufferPool: true,
		// A pong must come before the next ping is due.
		PingPongConfig: centrifuge.PingPongConfig{PingInterval: *heartbeat, PongTimeout: *heartbeat * 9 / 10},
	}))
	log.Fatal(http.ListenAndServe(*listen, nil))
}

func connecting(event centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
	var self who
	if err := json.Unmarshal(event.Data, &self); err != nil {
		return centrifuge.ConnectReply{}, centrifuge.ErrorBadRequest
	}
	name := fmt.Sprint(self.Customer)
	subscriptions := map[string]centrifuge.SubscribeOptions{
		present:        {EmitJoinLeave: true},
		"chat:" + name: {EnableRecovery: true},
	}
	if self.Agent {
		name = "agent"
		subscriptions = map[string]centrifuge.SubscribeOptions{present: {PushJoinLeave: true}}
	}
	return centrifuge.ConnectReply{
		Credentials:   &centrifuge.Credentials{UserID: name},
		Subscriptions: subscriptions,
	}, nil
}

func library() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, module := range info.Deps {
		if module.Path == "github.com/centrifugal/centrifuge" {
			return module.Version
		}
	}
	return "unknown"
}
