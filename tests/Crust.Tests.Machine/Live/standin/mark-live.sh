#!/bin/sh
if getargbool 0 rd.cos.disable; then mkdir -p /run/cos && : >/run/cos/live_mode; fi
